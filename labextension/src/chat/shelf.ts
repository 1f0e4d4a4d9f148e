import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  changeConversation,
  deleteConversation,
  LIST_LIMIT,
  listConversations
} from '../api/conversations';
import { ApiError } from '../api/request';
import type { IConversation, IFailure } from '../api/types';

const PATIENCE_MS = 250;

/** The list of conversations on the server. */
export class ShelfModel implements IDisposable {
  constructor(private readonly _settings: ServerConnection.ISettings) {
    this._debouncer = new Debouncer(() => this.refresh(), PATIENCE_MS);
  }

  /** Newest first; null before the first answer. */
  get conversations(): readonly IConversation[] | null {
    return this._conversations;
  }

  /** Whether the server has more of them. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  get failure(): IFailure | null {
    return this._failure;
  }

  get search(): string {
    return this._search;
  }

  set search(search: string) {
    this._search = search;
    this._pages = 1;
    this._changed.emit();
    void this._debouncer.invoke();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._debouncer.isDisposed;
  }

  /** Ask the server again. */
  async refresh(): Promise<void> {
    this._request?.abort();
    this._request = new AbortController();
    const { signal } = this._request;
    await this._attempt(async () => {
      const found: IConversation[] = [];
      let isFull = true;
      for (let page = 0; page < this._pages && isFull; page += 1) {
        const more = await listConversations(
          this._settings,
          this._search.trim(),
          found.at(-1)?.updated ?? null,
          signal
        );
        found.push(...more);
        isFull = more.length === LIST_LIMIT;
      }
      this._hasMore = isFull;
      this._conversations = found;
    }, signal);
  }

  /** Show more of them, also from now on. */
  async showMore(): Promise<void> {
    this._pages += 1;
    await this.refresh();
  }

  async rename(id: string, title: string): Promise<void> {
    if (
      await this._attempt(() =>
        changeConversation(this._settings, id, { title })
      )
    ) {
      await this.refresh();
    }
  }

  async remove(id: string): Promise<void> {
    if (await this._attempt(() => deleteConversation(this._settings, id))) {
      await this.refresh();
    }
  }

  dispose(): void {
    this._request?.abort();
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  /** Do something; false, with the failure shown, where it fails. */
  private async _attempt(
    act: () => Promise<unknown>,
    signal?: AbortSignal
  ): Promise<boolean> {
    try {
      await act();
      this._failure = null;
    } catch (error) {
      if (signal?.aborted === true) {
        return false;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
    }
    this._changed.emit();
    return this._failure === null;
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer: Debouncer<void>;
  private _conversations: readonly IConversation[] | null = null;
  private _failure: IFailure | null = null;
  private _hasMore = false;
  private _pages = 1;
  private _request: AbortController | null = null;
  private _search = '';
}
