import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { complete } from '../api/completions';
import { ApiError } from '../api/request';
import type { IFailure, ReplyPart } from '../api/types';
import { Beat } from '../beat';
import type { Activity } from '../chat/activity';
import type { ILLMServer } from '../tokens';
import { codeOf, editTurns, type EditKind, type ICellText } from './tasks';

/** New code for a cell, from its request to a person's decision. */
export class ProposalModel implements IDisposable {
  constructor(
    private readonly _server: ILLMServer,
    readonly kind: EditKind,
    readonly cell: ICellText,
    private readonly _trans: TranslationBundle
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

  /** Why there is no code, or not all of it. */
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
    this._beat.clear();
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
          this._trans.__(
            'There is no model on this server yet. Download one in the Models panel.'
          )
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
    this._beat.clear();
    this._changed.emit();
  }

  private _hear(part: ReplyPart): void {
    if (part.kind === 'step') {
      this._activity = { state: 'waiting', step: part.step };
    } else if (part.kind === 'text') {
      this._answer += part.text;
      this._activity = { state: 'writing' };
    } else if (part.kind === 'finished' && part.reason !== 'stop') {
      throw new ApiError('refused', 200, this._cutOff(part.reason));
    }
    this._beat.set();
  }

  /** Code that is not complete would take the place of code that is. */
  private _cutOff(reason: string): string {
    return reason === 'length'
      ? this._trans.__(
          'The model had to stop before the code was complete: there was no room for more tokens.'
        )
      : this._trans.__(
          'The model stopped before the code was complete (%1).',
          reason
        );
  }

  private readonly _beat = new Beat(() => {
    this._changed.emit();
  });
  private readonly _changed = new Signal<this, void>(this);
  private readonly _page = new AbortController();
  private _activity: Activity = { state: 'sending' };
  private _answer = '';
  private _failure: IFailure | null = null;
}
