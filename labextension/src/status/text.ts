import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFailure, IModelInfo } from '../api/types';
import { formatPercent, shortenName } from '../format';
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
        whatToDo(status.failure, trans)
      );
    case 'none':
      return text(
        trans.__('LLM: none loaded'),
        trans.__('No language model is loaded.')
      );
    default: {
      const { state, model, others } = status;
      const name =
        others.length > 0
          ? `${shortenName(model.id)} +${others.length.toString()}`
          : shortenName(model.id);
      return text(
        labelOf(state, name, model, trans),
        sentenceOf(model, trans),
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

function sentenceOf(model: IModelInfo, trans: TranslationBundle): string {
  const { id, state, error } = model;
  switch (state) {
    case 'unloaded':
      return trans.__('Language model %1 is not loaded.', id);
    case 'loading':
      return loadingSentence(model, trans);
    case 'ready':
      return trans.__('Language model %1 is ready.', id);
    case 'busy':
      return busySentence(model, trans);
    case 'unloading':
      return trans.__('Language model %1 is being unloaded.', id);
    case 'failed':
      return error === null
        ? trans.__('Language model %1 failed.', id)
        : trans.__('Language model %1 failed: %2', id, error.message);
  }
}

function loadingSentence(
  { id, progress }: IModelInfo,
  trans: TranslationBundle
): string {
  if (progress === null) {
    return trans.__('Language model %1 is loading.', id);
  }
  const percent = formatPercent(progress.fraction).trim();
  switch (progress.stage) {
    case 'starting':
      return trans.__(
        'Language model %1 is loading: starting its process, %2.',
        id,
        percent
      );
    case 'reading':
      return trans.__(
        'Language model %1 is loading: reading its file, %2.',
        id,
        percent
      );
    case 'preparing':
      return trans.__(
        'Language model %1 is loading: preparing to answer, %2.',
        id,
        percent
      );
    default:
      return trans.__(
        'Language model %1 is loading: filling its memory, %2.',
        id,
        percent
      );
  }
}

function busySentence(
  { id, slots }: IModelInfo,
  trans: TranslationBundle
): string {
  if (slots === null) {
    return trans.__('Language model %1 is answering.', id);
  }
  const answering = trans._n(
    'Language model %2 is answering %1 request.',
    'Language model %2 is answering %1 requests.',
    slots.busy,
    id
  );
  if (slots.waiting === 0) {
    return answering;
  }
  const waiting = trans._n(
    '%1 more is waiting.',
    '%1 more are waiting.',
    slots.waiting
  );
  return `${answering} ${waiting}`;
}

function whatFailed(
  { kind, status, message }: IFailure,
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'unreachable':
      return trans.__('The Jupyter server cannot be reached.');
    case 'timeout':
      return trans.__('The Jupyter server does not answer.');
    case 'not-installed':
      return trans.__(
        'This Jupyter server runs without the server extension llm_ext.'
      );
    case 'forbidden':
      return trans.__(
        'This Jupyter server does not let you see its language models.'
      );
    case 'refused':
      return message === ''
        ? trans.__(
            'The Jupyter server failed to list its language models (status %1).',
            status
          )
        : trans.__(
            'The Jupyter server failed to list its language models: %1',
            message
          );
    case 'not-understood':
      return trans.__(
        'The Jupyter server listed its language models in a form that this page does not understand.'
      );
  }
}

function whatToDo({ kind }: IFailure, trans: TranslationBundle): string {
  switch (kind) {
    case 'unreachable':
    case 'timeout':
      return trans.__(
        'Check that it is running. This page goes on trying by itself.'
      );
    case 'not-installed':
      return trans.__(
        'Run "jupyter server extension enable llm_ext" in its environment, then restart it.'
      );
    case 'forbidden':
      return trans.__('Log in again, or ask whoever runs the server.');
    case 'refused':
      return trans.__(
        'The log of the server says more. This page goes on trying by itself.'
      );
    case 'not-understood':
      return trans.__(
        'Reload the page. If that does not help, install jupyter-llm-ext anew and restart the server.'
      );
  }
}
