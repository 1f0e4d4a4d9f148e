import type { TranslationBundle } from '@jupyterlab/translation';

import type { IModelInfo } from '../api/types';
import { whatFailed, whatToDo } from '../failure';
import { formatBytes, formatPace, formatPercent, shortenName } from '../format';
import { describeRequests } from '../requests';
import { describeLoad } from '../stage';
import type { ShownState, Status } from './summary';

/** What a status says, in the user's language. */
export interface IStatusText {
  /** A few words for the status bar. */
  readonly label: string;
  /** The same in one full sentence. */
  readonly sentence: string;
  /** The sentence, and below it what else is good to know. */
  readonly tooltip: string;
}

/** Put a status in words. */
export function describe(
  status: Status,
  trans: TranslationBundle
): IStatusText {
  switch (status.state) {
    case 'connecting':
      return text(
        trans.__('LLM: …'),
        trans.__('Asking the server for its language models.')
      );
    case 'offline':
      return text(
        trans.__('LLM: offline'),
        whatFailed(status.failure, trans),
        whatToDo(status.failure, trans, true)
      );
    case 'none':
      return text(
        trans.__('LLM: none loaded'),
        trans.__('No language model is loaded.')
      );
    default: {
      const { state, model, others, tokensPerSecond } = status;
      const name =
        others.length > 0
          ? `${shortenName(model.id)} +${others.length.toString()}`
          : shortenName(model.id);
      const facts = factsOf(model, tokensPerSecond, trans);
      return text(
        [labelOf(state, name, model, trans), ...facts.labels].join(' · '),
        sentenceOf(model, trans),
        ...facts.sentences,
        ...others.map(other => sentenceOf(other, trans))
      );
    }
  }
}

function text(
  label: string,
  sentence: string,
  ...more: readonly string[]
): IStatusText {
  return { label, sentence, tooltip: [sentence, ...more].join('\n') };
}

/** How much memory a model has, and how fast it is, once it is loaded. */
function factsOf(
  { memory, state }: IModelInfo,
  tokensPerSecond: number | null,
  trans: TranslationBundle
): { labels: string[]; sentences: string[] } {
  const labels: string[] = [];
  const sentences: string[] = [];
  if (state !== 'ready' && state !== 'busy') {
    return { labels, sentences };
  }
  if (memory !== null) {
    const bytes = Object.values(memory.devices).reduce((a, b) => a + b, 0);
    labels.push(formatBytes(bytes));
    sentences.push(trans.__('It has %1 of memory.', formatBytes(bytes)));
  }
  if (tokensPerSecond !== null) {
    labels.push(formatPace(tokensPerSecond));
    sentences.push(
      trans.__('It last wrote %1 tokens a second.', tokensPerSecond.toFixed(1))
    );
  }
  return { labels, sentences };
}

function labelOf(
  state: ShownState,
  name: string,
  { progress }: IModelInfo,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'loading':
      return progress === null
        ? trans.__('LLM: %1 loading', name)
        : trans.__('LLM: %1 %2', name, formatPercent(progress.fraction));
    case 'ready':
      return trans.__('LLM: %1', name);
    case 'busy':
      return trans.__('LLM: %1 · answering', name);
    case 'unloading':
      return trans.__('LLM: %1 unloading', name);
    case 'failed':
      return trans.__('LLM: %1 failed', name);
  }
}

function sentenceOf(
  { id, state, progress, slots, error }: IModelInfo,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'unloaded':
      return trans.__('Language model %1 is not loaded.', id);
    case 'loading':
      return progress === null
        ? trans.__('Language model %1 is loading.', id)
        : trans.__(
            'Language model %1 is loading. %2.',
            id,
            describeLoad(progress, trans)
          );
    case 'ready':
      return trans.__('Language model %1 is ready.', id);
    case 'busy':
      return trans.__(
        'Language model %1 is busy. %2.',
        id,
        describeRequests(slots, trans)
      );
    case 'unloading':
      return trans.__('Language model %1 is being unloaded.', id);
    case 'failed':
      return error === null
        ? trans.__('Language model %1 failed.', id)
        : trans.__('Language model %1 failed: %2', id, error.message);
  }
}
