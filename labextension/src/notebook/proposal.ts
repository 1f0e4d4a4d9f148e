import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { complete } from '../api/completions';
import { ApiError } from '../api/request';
import type { IFailure, ReplyPart } from '../api/types';
import type { Activity } from '../chat/activity';
import type { ILLMServer } from '../tokens';
import { codeOf, editTurns, type EditKind, type ICellText } from './tasks';

const BEAT_MS = 80;

/** New code for a cell, from its request to a person's decision. */
export class ProposalModel implements IDisposable {
  constructor(
    private readonly _server: ILLMServer,
    readonly kind: EditKind,
    readonly cell: ICellText
  ) {
    void this._run();
  }

  /** The code, as far as it is written. */
  get code(): string {
    return codeOf(this._answer);
  }

  get activity(): Activity {
    return this._activity;
  }

  get failure(): IFailure | null {
    return this._failure;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._page.signal.aborted;
  }

  /** End it, in the engine as well. */
  dispose(): void {
    this._page.abort();
    clearTimeout(this._beat);
    Signal.clearData(this);
  }

  private async _run(): Promise<void> {
    const { signal } = this._page;
    try {
      const { default: model } = await this._server.feed.once(signal);
      if (model === null) {
        throw new ApiError(
          'missing',
          404,
          'There is no model on this server yet. Download one in the Models panel.'
        );
      }
      const turns = editTurns(this.kind, this.cell);
      for await (const part of complete(
        this._server.settings,
        model,
        turns,
        signal
      )) {
        this._hear(part);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
    }
    this._activity = { state: 'idle' };
    clearTimeout(this._beat);
    this._changed.emit();
  }

  private _hear(part: ReplyPart): void {
    if (part.kind === 'step') {
      this._activity = { state: 'waiting', step: part.step };
    } else if (part.kind === 'text') {
      this._answer += part.text;
      this._activity = { state: 'writing' };
    }
    this._beat ??= setTimeout(() => {
      this._beat = undefined;
      this._changed.emit();
    }, BEAT_MS);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _page = new AbortController();
  private _activity: Activity = { state: 'sending' };
  private _answer = '';
  private _beat: ReturnType<typeof setTimeout> | undefined;
  private _failure: IFailure | null = null;
}
