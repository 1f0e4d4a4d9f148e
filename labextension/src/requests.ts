import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISlots } from './api/types';

/** Say in a few words what a busy model answers, as far as that is known. */
export function describeRequests(
  slots: ISlots | null,
  trans: TranslationBundle
): string {
  if (slots === null) {
    return trans.__('Answering');
  }
  const answering = trans._n(
    'Answering %1 request',
    'Answering %1 requests',
    // The count of a model that has just begun comes with the next change.
    Math.max(1, slots.busy)
  );
  return slots.waiting === 0
    ? answering
    : trans.__('%1, %2 waiting', answering, slots.waiting);
}
