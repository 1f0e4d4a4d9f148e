import { act, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished, vi } from 'vitest';

/** Render an element into the page until the test ends; return where it is. */
export function mount(element: ReactElement): HTMLElement {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  const node = document.createElement('div');
  document.body.append(node);
  const root = createRoot(node);
  act(() => {
    root.render(element);
  });
  onTestFinished(() => {
    act(() => {
      root.unmount();
    });
    node.remove();
    vi.unstubAllGlobals();
  });
  return node;
}

/** Press what has this label. */
export async function press(
  node: HTMLElement,
  label: string,
  event: MouseEventInit = {}
): Promise<void> {
  const target = find(node, label);
  await act(async () => {
    target.dispatchEvent(new MouseEvent('click', { bubbles: true, ...event }));
    await Promise.resolve();
  });
}

/** Write into the field that has this label, as a person does. */
export async function write(
  node: HTMLElement,
  label: string,
  text: string
): Promise<void> {
  const target = find(node, label);
  await act(async () => {
    target.focus();
    // React looks at the value that the prototype keeps.
    const kept = Object.getOwnPropertyDescriptor(
      Object.getPrototypeOf(target) as object,
      'value'
    );
    kept?.set?.call(target, text);
    target.dispatchEvent(new Event('input', { bubbles: true }));
    await Promise.resolve();
  });
}

/** Go on to something else. */
export async function leave(node: HTMLElement, label: string): Promise<void> {
  const target = find(node, label);
  await act(async () => {
    target.blur();
    await Promise.resolve();
  });
}

/** What has this label, or, if it is a button, these words. */
export function find(node: HTMLElement, label: string): HTMLElement {
  const found = [
    ...node.querySelectorAll<HTMLElement>('button, input, textarea, select')
  ].find(
    element =>
      (element.getAttribute('aria-label') ??
        element.closest('label')?.firstChild?.textContent ??
        element.textContent) === label
  );
  if (found === undefined) {
    throw new Error(`Nothing is labelled ${label}.`);
  }
  return found;
}
