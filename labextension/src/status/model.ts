import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { FeedModel } from '../server/feed';
import type { PaceModel } from '../server/pace';
import { type Status, summarize } from './summary';

/** Sums up the server's models while it is started. */
export class StatusModel implements IDisposable {
  constructor(
    private readonly _feed: FeedModel,
    private readonly _pace: PaceModel
  ) {
    _feed.changed.connect(this._update);
    _pace.changed.connect(this._update);
  }

  get status(): Status {
    const { connection, list } = this._feed;
    return connection.state === 'live'
      ? summarize(list, this._pace.pace)
      : connection;
  }

  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow the models from now on. Does nothing if already started. */
  start(): void {
    if (!this._isDisposed) {
      this._hold ??= this._feed.hold();
    }
  }

  /** Let go of the models. */
  stop(): void {
    this._hold?.dispose();
    this._hold = null;
  }

  dispose(): void {
    this._isDisposed = true;
    this.stop();
    this._feed.changed.disconnect(this._update);
    this._pace.changed.disconnect(this._update);
    Signal.clearData(this);
  }

  private readonly _update = (): void => {
    this._stateChanged.emit();
  };

  private readonly _stateChanged = new Signal<this, void>(this);
  private _hold: IDisposable | null = null;
  private _isDisposed = false;
}
