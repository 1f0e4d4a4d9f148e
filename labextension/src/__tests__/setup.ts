import { beforeEach, vi } from 'vitest';

// What JupyterLab's components need when they are imported, and jsdom lacks.
globalThis.DragEvent = class extends MouseEvent {} as typeof DragEvent;
globalThis.ResizeObserver = class {
  observe(): void {
    // jsdom lays nothing out, so nothing changes its size.
  }
  unobserve(): void {
    // The same.
  }
  disconnect(): void {
    // The same.
  }
};
globalThis.IntersectionObserver =
  globalThis.ResizeObserver as unknown as typeof IntersectionObserver;
globalThis.matchMedia = query =>
  Object.assign(new EventTarget(), {
    media: query,
    matches: false,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined
  });
globalThis.requestIdleCallback = callback =>
  window.setTimeout(callback, 0, { didTimeout: false, timeRemaining: () => 0 });

// Lumino and React report what goes wrong in a handler here, and go on.
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation((...args: unknown[]) => {
    throw new Error(args.map(String).join(' '));
  });
});
