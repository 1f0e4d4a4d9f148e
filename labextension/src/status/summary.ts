import type {
  IFailure,
  IModelInfo,
  IModelList,
  ModelState
} from '../api/types';
import type { IPace } from '../server/pace';

/** The states of a model that is worth a word in the status bar. */
export type ShownState = Exclude<ModelState, 'unloaded'>;

/** What the status bar shows. */
export type Status =
  | { readonly state: 'connecting' }
  | { readonly state: 'offline'; readonly failure: IFailure }
  | { readonly state: 'none' }
  | {
      readonly state: ShownState;
      /** The model that is named. */
      readonly model: IModelInfo;
      /** The others that take part: counted, not named. */
      readonly others: readonly IModelInfo[];
      /** How fast the model last wrote; null if this page did not see it. */
      readonly tokensPerSecond: number | null;
    };

const MOST_TELLING_FIRST: readonly ShownState[] = [
  'busy',
  'loading',
  'ready',
  'unloading',
  'failed'
];

/**
 * Choose what to say about all models in one line.
 *
 * Of several models in the same state the default one is named, else the first
 * listed. A failed model takes no memory, so it is named only when nothing is
 * loaded, and is counted only then.
 */
export function summarize(list: IModelList, pace: IPace | null): Status {
  for (const state of MOST_TELLING_FIRST) {
    const candidates = list.models.filter(model => model.state === state);
    const model =
      candidates.find(({ id }) => id === list.default) ?? candidates[0];
    if (model !== undefined) {
      const others = list.models.filter(
        other =>
          other !== model &&
          other.state !== 'unloaded' &&
          (other.state !== 'failed' || state === 'failed')
      );
      const tokensPerSecond =
        pace?.model === model.id ? pace.tokensPerSecond : null;
      return { state, model, others, tokensPerSecond };
    }
  }
  return { state: 'none' };
}

/** Whether a status will soon give way to another one by itself. */
export function isPassing({ state }: Status): boolean {
  return state === 'loading' || state === 'unloading' || state === 'busy';
}
