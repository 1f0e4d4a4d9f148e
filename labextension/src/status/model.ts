import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import { listModels } from '../api/models';
import { ApiError } from '../api/request';
import { isPassing, type Status, summarize } from './summary';

const CALM_INTERVAL_MS = 2_000;
const FAILURE_INTERVAL_MS = 5_000;
const LIVELY_INTERVAL_MS = 750;
const MAX_INTERVAL_MS = 60_000;

/** Follows the server's models while it is started. */
export class StatusModel implements IDisposable {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
    this._poll = new Poll({
      name: 'jupyter-llm-ext:status',
      auto: false,
      factory: () => this._refresh(),
      frequency: { interval: CALM_INTERVAL_MS, max: MAX_INTERVAL_MS },
      standby: 'when-hidden'
    });
  }

  get status(): Status {
    return this._status;
  }

  /** Emitted after every answer, and after every failure to get one. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Ask the server now, and from then on. Does nothing if already started. */
  start(): void {
    void this._poll.start();
  }

  /** Ask no more, and drop the request that is under way. */
  stop(): void {
    this._request?.abort();
    void this._poll.stop();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._request?.abort();
    this._poll.dispose();
    Signal.clearData(this);
  }

  /**
   * Never fails: the poll's own backing off starts from the interval before the
   * failure, which is next to nothing for the first request.
   */
  private async _refresh(): Promise<void> {
    this._request = new AbortController();
    const { signal } = this._request;
    try {
      const status = summarize(await listModels(this._settings, signal));
      this._failures = 0;
      this._show(
        status,
        isPassing(status) ? LIVELY_INTERVAL_MS : CALM_INTERVAL_MS
      );
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failures += 1;
      this._show(
        { state: 'offline', failure: error },
        Math.min(MAX_INTERVAL_MS, FAILURE_INTERVAL_MS * 2 ** this._failures)
      );
    }
  }

  private _show(status: Status, interval: number): void {
    this._poll.frequency = { ...this._poll.frequency, interval };
    this._status = status;
    this._stateChanged.emit();
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _poll: Poll<void, unknown>;
  private readonly _stateChanged = new Signal<this, void>(this);
  private _request: AbortController | null = null;
  private _failures = 0;
  private _status: Status = { state: 'connecting' };
}
