import type { IMemory } from './model';

const KEY = 'jupyter-llm-ext:conversation';

/** Remembers a conversation for a browser tab, also over a reload. */
export class PageMemory implements IMemory {
  /** `place` tells a page's chats apart. */
  constructor(private readonly _place: string) {}

  get(): string | null {
    return sessionStorage.getItem(`${KEY}:${this._place}`);
  }

  set(id: string | null): void {
    const key = `${KEY}:${this._place}`;
    if (id === null) {
      sessionStorage.removeItem(key);
    } else {
      sessionStorage.setItem(key, id);
    }
  }
}
