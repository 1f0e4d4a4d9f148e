import { nullTranslator } from '@jupyterlab/translation';
import { describe as suite, expect, it } from 'vitest';

import type { FailureKind, IModelInfo } from '../api/types';
import { whatToDo } from '../failure';
import { type Status, summarize } from '../status/summary';
import { describe, type IStatusText } from '../status/text';
import { aModel } from './models';

const trans = nullTranslator.load('jupyter-llm-ext');

function said(...models: readonly IModelInfo[]): IStatusText {
  return describe(
    summarize({ default: null, models, remote: [] }, null),
    trans
  );
}

function saidOf(kind: FailureKind, message = ''): IStatusText {
  const failure = { kind, status: 500, message };
  return describe({ state: 'offline', failure }, trans);
}

suite('describe', () => {
  it.each<[Partial<IModelInfo>, string, string]>([
    [{}, 'LLM: none loaded', 'No language model is loaded.'],
    [
      { state: 'loading' },
      'LLM: hello loading',
      'Language model hello is loading.'
    ],
    [
      { state: 'loading', progress: { stage: 'reading', fraction: 0.42 } },
      'LLM: hello 42 %',
      'Language model hello is loading. Reading its file, 42 %.'
    ],
    [
      { state: 'loading', progress: { stage: 'starting', fraction: 0.02 } },
      'LLM: hello \u20072 %',
      'Language model hello is loading. Starting its process, \u20072 %.'
    ],
    [
      { state: 'loading', progress: { stage: 'preparing', fraction: 0.97 } },
      'LLM: hello 97 %',
      'Language model hello is loading. Preparing to answer, 97 %.'
    ],
    [{ state: 'ready' }, 'LLM: hello', 'Language model hello is ready.'],
    [
      { state: 'busy' },
      'LLM: hello · answering',
      'Language model hello is busy. Answering.'
    ],
    [
      { state: 'busy', slots: { total: 4, busy: 1, waiting: 0 } },
      'LLM: hello · answering',
      'Language model hello is busy. Answering 1 request.'
    ],
    [
      { state: 'busy', slots: { total: 4, busy: 4, waiting: 2 } },
      'LLM: hello · answering',
      'Language model hello is busy. Answering 4 requests, 2 waiting.'
    ],
    [
      { state: 'unloading' },
      'LLM: hello unloading',
      'Language model hello is being unloaded.'
    ],
    [{ state: 'failed' }, 'LLM: hello failed', 'Language model hello failed.'],
    [
      { state: 'failed', error: { code: 'x', message: 'No such file.' } },
      'LLM: hello failed',
      'Language model hello failed: No such file.'
    ]
  ])('puts %j in words', (given, label, sentence) => {
    expect(said(aModel(given))).toEqual({
      label,
      sentence,
      tooltip: sentence
    });
  });

  it.each(['loading', 'invented later'])(
    'has the same words for the stage %j',
    stage => {
      const progress = { stage, fraction: 0.5 };

      expect(said(aModel({ state: 'loading', progress })).sentence).toBe(
        'Language model hello is loading. Filling its memory, 50 %.'
      );
    }
  );

  it('counts other models, and gives each a line', () => {
    const text = said(
      aModel({ id: 'a', state: 'ready' }),
      aModel({ id: 'b', state: 'busy' })
    );

    expect(text).toEqual({
      label: 'LLM: b +1 · answering',
      sentence: 'Language model b is busy. Answering.',
      tooltip:
        'Language model b is busy. Answering.\nLanguage model a is ready.'
    });
  });

  it('shortens a name in the label alone', () => {
    const id = 'unsloth/Llama-3.2-1B-Instruct-GGUF:Q4_K_M';

    const { label, sentence } = said(aModel({ id, state: 'ready' }));

    expect(label).toBe('LLM: unsloth/Llama-…t-GGUF:Q4_K_M');
    expect(sentence).toContain(id);
  });

  it.each<[FailureKind, string]>([
    ['unreachable', 'Check that it is running.'],
    ['timeout', 'This page goes on trying by itself.'],
    ['not-installed', 'jupyter server extension enable llm_ext'],
    ['forbidden', 'Log in again'],
    ['refused', 'The log of the server'],
    ['not-understood', 'Reload the page.']
  ])('says what happened and what to do when %s', (kind, advice) => {
    const { label, sentence, tooltip } = saidOf(kind);

    expect(label).toBe('LLM: offline');
    expect(tooltip.split('\n')[0]).toBe(sentence);
    expect(tooltip.split('\n')[1]).toContain(advice);
  });

  it('promises to try again only where it does', () => {
    const failure = { kind: 'unreachable', status: null, message: '' } as const;

    expect(whatToDo(failure, trans)).toBe('Check that it is running.');
    expect(whatToDo(failure, trans, true)).toContain('goes on trying');
  });

  it('repeats the words of the server, or else its status', () => {
    expect(saidOf('refused', 'Disk full.').sentence).toContain('Disk full.');
    expect(saidOf('refused').sentence).toContain('status 500');
  });

  it('says so while there is no answer yet', () => {
    const connecting: Status = { state: 'connecting' };

    expect(describe(connecting, trans).label).toBe('LLM: …');
  });
});
