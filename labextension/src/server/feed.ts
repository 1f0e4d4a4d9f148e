import type { ServerConnection } from '@jupyterlab/services';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { followChanges } from '../api/events';
import { ApiError } from '../api/request';
import type { IDownload, IFailure, IModelList } from '../api/types';
import { isAborted, pause } from '../pause';
import { apply, type IWorld, NOTHING } from './world';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** Whether what is known is how it is now. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'offline'; readonly failure: IFailure };

/**
 * Follows the server's models and downloads while somebody looks.
 *
 * One stream serves the whole page. It is closed while the page is hidden:
 * browsers allow few connections to a server, over all tabs together.
 */
export class FeedModel implements IDisposable {
  constructor(settings: ServerConnection.ISettings) {
    this._settings = settings;
    document.addEventListener('visibilitychange', this._update);
  }

  get connection(): Connection {
    return this._connection;
  }

  get list(): IModelList {
    return this._world.list;
  }

  get downloads(): readonly IDownload[] {
    return this._world.downloads;
  }

  /** Emitted after every change, of the connection as well. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow until the holder, and all others, are disposed. */
  hold(): IDisposable {
    this._holders += 1;
    this._update();
    return new DisposableDelegate(() => {
      this._holders -= 1;
      this._update();
    });
  }

  /**
   * Return the models as soon as they are known.
   *
   * Throws `ApiError` where the server cannot be asked, or the signal's reason.
   */
  async once(signal: AbortSignal): Promise<IModelList> {
    const hold = this.hold();
    try {
      if (this._connection.state === 'offline') {
        this._show({ state: 'connecting' });
        this.retry();
      }
      for (;;) {
        const connection = this.connection;
        if (connection.state === 'live') {
          return this.list;
        }
        if (connection.state === 'offline') {
          const { kind, status, message } = connection.failure;
          throw new ApiError(kind, status, message);
        }
        await this._change(signal);
        signal.throwIfAborted();
      }
    } finally {
      hold.dispose();
    }
  }

  /** Try again now, rather than when it is time. */
  retry(): void {
    this._stop();
    this._update();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this._update);
    this._stop();
    Signal.clearData(this);
  }

  private readonly _update = (): void => {
    const wanted =
      this._holders > 0 &&
      !this._isDisposed &&
      document.visibilityState !== 'hidden';
    if (!wanted) {
      this._stop();
    } else if (this._page === null) {
      this._page = new AbortController();
      // What was known may be out of date; views show it until there is better.
      this._connection = { state: 'connecting' };
      void this._follow(this._page.signal);
    }
  };

  private _stop(): void {
    this._page?.abort();
    this._page = null;
  }

  private async _follow(signal: AbortSignal): Promise<void> {
    let wait = FIRST_RETRY_MS;
    for (;;) {
      const error = await this._listen(signal, () => {
        wait = FIRST_RETRY_MS;
      });
      if (isAborted(signal)) {
        return;
      }
      this._show({ state: 'offline', failure: error });
      await pause(wait, signal);
      if (isAborted(signal)) {
        return;
      }
      wait = Math.min(LAST_RETRY_MS, 2 * wait);
    }
  }

  /** Listen until the connection ends; return why it did. */
  private async _listen(
    signal: AbortSignal,
    heard: () => void
  ): Promise<IFailure> {
    try {
      for await (const change of followChanges(this._settings, signal)) {
        heard();
        this._world = apply(this._world, change);
        this._show({ state: 'live' });
      }
    } catch (error) {
      if (error instanceof ApiError) {
        return error;
      }
      if (!signal.aborted) {
        throw error;
      }
    }
    return new ApiError('unreachable', null, '');
  }

  /** Wait for the next change, or for the signal to be aborted. */
  private async _change(signal: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const done = (): void => {
        this._changed.disconnect(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this._changed.connect(done);
      signal.addEventListener('abort', done);
    });
  }

  private _show(connection: Connection): void {
    this._connection = connection;
    this._changed.emit();
  }

  private readonly _settings: ServerConnection.ISettings;
  private readonly _changed = new Signal<this, void>(this);
  private _connection: Connection = { state: 'connecting' };
  private _holders = 0;
  private _isDisposed = false;
  private _page: AbortController | null = null;
  private _world: IWorld = NOTHING;
}
