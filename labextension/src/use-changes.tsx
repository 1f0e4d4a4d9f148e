import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

/** Render a component again whenever a signal is emitted. */
export function useChanges(signal: ISignal<unknown, unknown>): void {
  const [, renderAgain] = React.useReducer((count: number) => count + 1, 0);
  React.useLayoutEffect(() => {
    const slot = (): void => {
      renderAgain();
    };
    signal.connect(slot);
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}
