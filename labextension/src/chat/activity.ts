import type { TranslationBundle } from '@jupyterlab/translation';

import type { Step } from '../api/types';
import { describeLoad } from '../stage';

/** What a conversation is about, besides its messages. */
export type Activity =
  | { readonly state: 'idle' }
  | { readonly state: 'sending' }
  | { readonly state: 'waiting'; readonly step: Step }
  | { readonly state: 'writing' }
  | { readonly state: 'stopping' }
  | { readonly state: 'lost' };

/** Say in a few words what goes on; empty where nothing does. */
export function describeActivity(
  activity: Activity,
  trans: TranslationBundle
): string {
  switch (activity.state) {
    case 'idle':
      return '';
    case 'sending':
      return trans.__('Sending…');
    case 'waiting':
      return describeStep(activity.step, trans);
    case 'writing':
      return trans.__('Writing…');
    case 'stopping':
      return trans.__('Stopping…');
    case 'lost':
      return trans.__('The connection is lost. Looking for the answer…');
  }
}

/** How far it is, between 0 and 1; null where that cannot be told. */
export function fractionOf(activity: Activity): number | null {
  if (activity.state !== 'waiting') {
    return null;
  }
  const { step } = activity;
  switch (step.kind) {
    case 'loading':
      return step.progress.fraction;
    case 'prompt':
      return step.done / Math.max(1, step.total);
    default:
      return null;
  }
}

function describeStep(step: Step, trans: TranslationBundle): string {
  switch (step.kind) {
    case 'loading':
      return trans.__(
        'Loading the model: %1',
        describeLoad(step.progress, trans)
      );
    case 'ready':
      return trans.__('The model is loaded.');
    case 'queued':
      return step.position === null || step.position === 0
        ? trans.__('Next in line')
        : trans._n(
            'Waiting behind %1 request',
            'Waiting behind %1 requests',
            step.position
          );
    case 'rerouted':
      return trans.__('%1 answers instead', step.model);
    case 'prompt':
      return trans.__(
        'Reading the prompt: %1 of %2 tokens',
        step.done,
        step.total
      );
  }
}
