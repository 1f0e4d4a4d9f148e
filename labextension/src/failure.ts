import type { TranslationBundle } from '@jupyterlab/translation';

import type { IFailure } from './api/types';

/** Say what failed, in one sentence. */
export function whatFailed(
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
        'This Jupyter server does not let you use its language models.'
      );
    case 'refused':
      return message === ''
        ? trans.__('The Jupyter server failed (status %1).', status)
        : message;
    case 'missing':
      return message;
    case 'not-understood':
      return trans.__(
        'The Jupyter server answered in a form that this page does not understand.'
      );
  }
}

/** Say what can be done about it; and if so, that the page tries again by itself. */
export function whatToDo(
  failure: IFailure,
  trans: TranslationBundle,
  isRetried = false
): string {
  const advice = adviceOn(failure, trans);
  return isRetried
    ? `${advice} ${trans.__('This page goes on trying by itself.')}`.trim()
    : advice;
}

function adviceOn(
  { kind, message }: IFailure,
  trans: TranslationBundle
): string {
  switch (kind) {
    case 'unreachable':
    case 'timeout':
      return trans.__('Check that it is running.');
    case 'not-installed':
      return trans.__(
        'Run "jupyter server extension enable llm_ext" in its environment, then restart it.'
      );
    case 'forbidden':
      return trans.__('Log in again, or ask whoever runs the server.');
    case 'missing':
    case 'refused':
      return message === '' ? trans.__('The log of the server says more.') : '';
    case 'not-understood':
      return trans.__(
        'Reload the page. If that does not help, install jupyter-llm-ext anew and restart the server.'
      );
  }
}
