import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { fillIn } from '../api/completions';
import { ApiError } from '../api/request';
import type { IFailure, IModelInfo } from '../api/types';
import type { ILLMServer } from '../tokens';
import type { ISurrounding } from './context';

/** When suggestions are made. */
export type Enabled = 'auto' | 'on' | 'off';

/** What a person can choose. */
export interface IGhostSettings {
  readonly enabled: Enabled;
  /** Tokens. */
  readonly maxTokens: number;
  readonly contextCharacters: number;
}

/** What suggestions are up to. */
export type GhostState =
  | { readonly state: 'off' }
  | { readonly state: 'no-model' }
  | { readonly state: 'idle'; readonly model: string }
  | { readonly state: 'thinking'; readonly model: string }
  | { readonly state: 'failed'; readonly failure: IFailure };

/**
 * Asks a model that is loaded anyway for what might stand at the cursor.
 *
 * One that is not loaded refuses, and one that is being loaded lets a cell wait. So the
 * models are followed from the first suggestion on, and nobody is asked while what is
 * known of them may be out of date.
 */
export class GhostModel {
  constructor(private readonly _server: ILLMServer) {
    _server.feed.changed.connect(() => {
      this._changed.emit();
    });
  }

  get settings(): IGhostSettings {
    return this._settings;
  }

  set settings(settings: IGhostSettings) {
    this._settings = settings;
    if (settings.enabled === 'off') {
      this._hold?.dispose();
      this._hold = null;
    }
    this._changed.emit();
  }

  /** Whether there are suggestions, or would be with a model for them. */
  get isOn(): boolean {
    const { state } = this.state;
    return (
      this._settings.enabled === 'on' ||
      (state !== 'off' && state !== 'no-model')
    );
  }

  get state(): GhostState {
    if (this._settings.enabled === 'off') {
      return { state: 'off' };
    }
    const model = this._model();
    if (model === null) {
      return { state: 'no-model' };
    }
    if (this._failure !== null) {
      return { state: 'failed', failure: this._failure };
    }
    const state = this._request === null ? 'idle' : 'thinking';
    return { state, model: model.id };
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Return what might stand at the cursor; empty for nothing. A newer call ends it. */
  async suggest(around: ISurrounding): Promise<string> {
    this._request?.abort();
    this._request = null;
    if (this._settings.enabled === 'off') {
      return '';
    }
    const { feed } = this._server;
    this._hold ??= feed.hold();
    const model = feed.connection.state === 'live' ? this._model() : null;
    if (model === null) {
      return '';
    }
    const request = new AbortController();
    this._request = request;
    this._changed.emit();
    try {
      const gap = { ...around, maxTokens: this._settings.maxTokens };
      const { settings } = this._server;
      const text = await fillIn(settings, model.id, gap, request.signal);
      this._failure = null;
      return text;
    } catch (error) {
      if (!request.signal.aborted) {
        if (!(error instanceof ApiError)) {
          throw error;
        }
        // It may have gone just now: then there is nobody to ask, which is no failure.
        this._failure = error.code === 'model_not_loaded' ? null : error;
      }
      return '';
    } finally {
      if (this._request === request) {
        this._request = null;
      }
      this._changed.emit();
    }
  }

  /** A model that is loaded, fills in the middle and, if asked for, is fast. */
  private _model(): IModelInfo | null {
    return (
      this._server.feed.list.models.find(
        ({ state, capabilities, memory }) =>
          (state === 'ready' || state === 'busy') &&
          capabilities.includes('infill') &&
          (this._settings.enabled === 'on' || (memory?.gpuLayers ?? 0) > 0)
      ) ?? null
    );
  }

  private readonly _changed = new Signal<this, void>(this);
  private _failure: IFailure | null = null;
  private _hold: IDisposable | null = null;
  private _request: AbortController | null = null;
  private _settings: IGhostSettings = {
    enabled: 'auto',
    maxTokens: 48,
    contextCharacters: 6_000
  };
}
