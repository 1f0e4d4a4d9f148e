import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { forgetDownload, startDownload, steerDownload } from '../api/downloads';
import { getMachine } from '../api/machine';
import { deleteModel, loadModel, pinModel, unloadModel } from '../api/models';
import { ApiError } from '../api/request';
import type {
  IDownload,
  IFailure,
  ILoadOptions,
  IMachine,
  IModelInfo
} from '../api/types';
import type { Connection } from '../server/feed';
import type { ILLMServer } from '../tokens';
import { LoadPlan } from './plan';

/** The place of a problem that belongs to no model or download of the list. */
export const DOWNLOAD_FORM = '';

/** What the Models panel shows and does. */
export class LibraryModel implements IDisposable {
  constructor(private readonly _server: ILLMServer) {
    _server.feed.changed.connect(this._onFeed);
  }

  get connection(): Connection {
    return this._server.feed.connection;
  }

  get models(): readonly IModelInfo[] {
    return this._server.feed.list.models;
  }

  /** Downloads that are under way or failed; the others are models, or forgotten. */
  get downloads(): readonly IDownload[] {
    return this._server.feed.downloads.filter(
      ({ state }) => state !== 'done' && state !== 'cancelled'
    );
  }

  /** What the models run on; null until it is known. */
  get machine(): IMachine | null {
    return this._machine;
  }

  /** What failed of late, by the id of the model or download. */
  get problems(): ReadonlyMap<string, IFailure> {
    return this._problems;
  }

  get filter(): string {
    return this._filter;
  }

  set filter(filter: string) {
    this._filter = filter;
    this._changed.emit();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether something was asked for that the server has not answered yet. */
  isPending(id: string): boolean {
    return this._pending.has(id);
  }

  /** Follow the server while the panel is seen. */
  start(): void {
    this._hold ??= this._server.feed.hold();
    this._refreshMachine();
  }

  stop(): void {
    this._hold?.dispose();
    this._hold = null;
  }

  dispose(): void {
    this._isDisposed = true;
    this._server.feed.changed.disconnect(this._onFeed);
    this.stop();
    this._page.abort();
    Signal.clearData(this);
  }

  /** Try again to reach the server. */
  retry(): void {
    this._server.feed.retry();
  }

  /** Think about how a model could be loaded; the caller disposes of the plan. */
  plan(model: IModelInfo): LoadPlan {
    return new LoadPlan(this._server.settings, model);
  }

  load(id: string, options: ILoadOptions = {}): Promise<boolean> {
    return this._try(id, () => loadModel(this._server.settings, id, options));
  }

  unload(id: string): Promise<boolean> {
    return this._try(id, () => unloadModel(this._server.settings, id));
  }

  pin(id: string, pinned: boolean): Promise<boolean> {
    return this._try(id, () => pinModel(this._server.settings, id, pinned));
  }

  remove(id: string): Promise<boolean> {
    return this._try(id, () => deleteModel(this._server.settings, id));
  }

  download(reference: string): Promise<boolean> {
    return this._try(DOWNLOAD_FORM, () =>
      startDownload(this._server.settings, reference)
    );
  }

  steer(id: string, act: 'pause' | 'resume' | 'cancel'): Promise<boolean> {
    return this._try(id, () => steerDownload(this._server.settings, id, act));
  }

  forget(id: string): Promise<boolean> {
    return this._try(id, () => forgetDownload(this._server.settings, id));
  }

  /** Forget what failed. */
  dismiss(id: string): void {
    this._problems.delete(id);
    this._changed.emit();
  }

  /** Do something for a model or download; return whether it worked. */
  private async _try(
    id: string,
    act: () => Promise<unknown>
  ): Promise<boolean> {
    this._problems.delete(id);
    this._pending.add(id);
    this._changed.emit();
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._problems.set(id, error);
      return false;
    } finally {
      this._pending.delete(id);
      this._changed.emit();
    }
  }

  private readonly _onFeed = (): void => {
    const states = this.models
      .map(({ id, state }) => `${id} ${state}`)
      .join('\n');
    if (states !== this._states) {
      this._states = states;
      this._refreshMachine();
    }
    this._changed.emit();
  };

  /** Ask for the devices' memory, which changes when a model's state does. */
  private _refreshMachine(): void {
    if (this._hold === null) {
      return;
    }
    getMachine(this._server.settings, this._page.signal).then(
      machine => {
        this._machine = machine;
        this._changed.emit();
      },
      () => {
        // The feed's connection says already what is wrong with the server.
      }
    );
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _page = new AbortController();
  private readonly _pending = new Set<string>();
  private readonly _problems = new Map<string, IFailure>();
  private _filter = '';
  private _hold: IDisposable | null = null;
  private _isDisposed = false;
  private _machine: IMachine | null = null;
  private _states = '';
}
