import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { preflight } from '../api/models';
import { ApiError } from '../api/request';
import type {
  IFailure,
  ILoadOptions,
  IModelInfo,
  IPreflight
} from '../api/types';

const PATIENCE_MS = 300;

/** How a model might be loaded, and what the server says to that. */
export class LoadPlan implements IDisposable {
  constructor(
    private readonly _settings: ServerConnection.ISettings,
    readonly model: IModelInfo
  ) {
    this._debouncer = new Debouncer(() => this._ask(), PATIENCE_MS);
    void this._ask();
  }

  get options(): ILoadOptions {
    return this._options;
  }

  /** What the load would need; null while it is not known. */
  get preflight(): IPreflight | null {
    return this._preflight;
  }

  get failure(): IFailure | null {
    return this._failure;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._debouncer.isDisposed;
  }

  /** Change the options; undefined leaves one to the server. */
  set<K extends keyof ILoadOptions>(
    name: K,
    value: ILoadOptions[K] | undefined
  ): void {
    const others = Object.entries(this._options).filter(
      ([key]) => key !== name
    );
    this._options = Object.fromEntries(
      value === undefined ? others : [...others, [name, value]]
    );
    // What is known, or about to be, is of other options.
    this._request?.abort();
    this._preflight = null;
    this._failure = null;
    this._changed.emit();
    void this._debouncer.invoke();
  }

  dispose(): void {
    this._request?.abort();
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private async _ask(): Promise<void> {
    this._request?.abort();
    this._request = new AbortController();
    const { signal } = this._request;
    const { _settings: settings, _options: options } = this;
    try {
      const answer = await preflight(settings, this.model.id, options, signal);
      this._preflight = answer;
      this._failure = null;
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._preflight = null;
      this._failure = error;
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer: Debouncer<void>;
  private _failure: IFailure | null = null;
  private _options: ILoadOptions = {};
  private _preflight: IPreflight | null = null;
  private _request: AbortController | null = null;
}
