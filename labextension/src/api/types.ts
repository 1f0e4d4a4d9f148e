/** Where a model is in its life, in the server's words. */
export type ModelState =
  'unloaded' | 'loading' | 'ready' | 'busy' | 'unloading' | 'failed';

/** How far a load has come. `stage` stays open: a newer server may name more. */
export interface ILoadProgress {
  readonly stage: string;
  /** Between 0 and 1. */
  readonly fraction: number;
}

/** Why a model failed. */
export interface IModelError {
  readonly code: string;
  readonly message: string;
}

/** How many requests a loaded model can run, runs, and keeps waiting. */
export interface ISlots {
  readonly total: number;
  readonly busy: number;
  readonly waiting: number;
}

/** One model as the server lists it. */
export interface IModelInfo {
  readonly id: string;
  readonly state: ModelState;
  readonly progress: ILoadProgress | null;
  readonly error: IModelError | null;
  readonly slots: ISlots | null;
}

/** The answer to `GET llm/models`. */
export interface IModelList {
  /** The id of the model that a request without a model name gets. */
  readonly default: string | null;
  readonly models: readonly IModelInfo[];
}

/** What kept the server from giving an answer that can be used. */
export type FailureKind =
  | 'unreachable'
  | 'timeout'
  | 'not-installed'
  | 'forbidden'
  | 'refused'
  | 'not-understood';

/** A request that failed, in terms that a person can act on. */
export interface IFailure {
  readonly kind: FailureKind;
  /** The HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** The server's own words; empty if it gave none. */
  readonly message: string;
}
