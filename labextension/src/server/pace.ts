import { type ISignal, Signal } from '@lumino/signaling';

/** How fast a model wrote when this page last saw it write. */
export interface IPace {
  readonly model: string;
  readonly tokensPerSecond: number;
}

/** Keeps the pace of the last answer that this page saw. */
export class PaceModel {
  /** Null before the first answer. */
  get pace(): IPace | null {
    return this._pace;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Take note of how fast an answer was. */
  note(model: string, tokensPerSecond: number): void {
    this._pace = { model, tokensPerSecond };
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _pace: IPace | null = null;
}
