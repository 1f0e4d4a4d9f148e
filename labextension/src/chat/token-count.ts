import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { countTokens } from '../api/tokens';
import { isAborted, pause } from '../pause';

const CHARACTERS_PER_TOKEN = 4;
/** Tokens up to which a guess is good enough. */
const FEW = 100;
/** Milliseconds without a change after which a text is counted. */
const STILL_MS = 400;

/** How many tokens a text is: guessed at once, and counted when it stays. */
export class TokenCountModel implements IDisposable {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  get tokens(): number {
    return this._counted ?? Math.ceil(this._text.length / CHARACTERS_PER_TOKEN);
  }

  /** Whether the model's own vocabulary said so. */
  get isExact(): boolean {
    return this._counted !== null;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Count this text; `model` is null where nobody here knows its vocabulary. */
  look(text: string, model: string | null): void {
    if (text === this._text && model === this._model) {
      return;
    }
    this._text = text;
    this._model = model;
    this._counted = null;
    this._asking.abort();
    this._asking = new AbortController();
    if (model !== null && this.tokens > FEW) {
      void this._count(text, model, this._asking.signal);
    }
    this._changed.emit();
  }

  dispose(): void {
    this._isDisposed = true;
    this._asking.abort();
    Signal.clearData(this);
  }

  private async _count(
    text: string,
    model: string,
    signal: AbortSignal
  ): Promise<void> {
    await pause(STILL_MS, signal);
    if (isAborted(signal)) {
      return;
    }
    let counted: number;
    try {
      counted = await countTokens(this._settings, model, text, signal);
    } catch {
      // The guess stays; who sends it learns what is wrong.
      return;
    }
    if (!isAborted(signal)) {
      this._counted = counted;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _asking = new AbortController();
  private _counted: number | null = null;
  private _isDisposed = false;
  private _model: string | null = null;
  private _text = '';
}
