import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILoadProgress } from './api/types';
import { formatPercent } from './format';

/** Say in a few words how far a load is. */
export function describeLoad(
  { stage, fraction }: ILoadProgress,
  trans: TranslationBundle
): string {
  return stage === 'waiting'
    ? trans.__('Waiting for memory')
    : trans.__('%1, %2', describeStage(stage, trans), formatPercent(fraction));
}

function describeStage(stage: string, trans: TranslationBundle): string {
  switch (stage) {
    case 'starting':
      return trans.__('Starting its process');
    case 'reading':
      return trans.__('Reading its file');
    case 'preparing':
      return trans.__('Preparing to answer');
    default:
      return trans.__('Filling its memory');
  }
}
