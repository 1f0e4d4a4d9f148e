/** Milliseconds between two looks at what grows: 12 a second. */
const BEAT_MS = 80;

/** Acts as often as eyes can follow, however often there is something new. */
export class Beat {
  constructor(private readonly _act: () => void) {}

  /** Act soon. */
  set(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      this._act();
    }, BEAT_MS);
  }

  /** Do not act for what was set so far. */
  clear(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
}
