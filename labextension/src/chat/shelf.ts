import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  changeConversation,
  deleteConversation,
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

  /** Those in which something was said, newest first; null before the first answer. */
  get conversations(): readonly IConversation[] | null {
    return this._conversations;
  }

  get failure(): IFailure | null {
    return this._failure;
  }

  get search(): string {
    return this._search;
  }

  set search(search: string) {
    this._search = search;
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
      const conversations = await listConversations(
        this._settings,
        this._search.trim(),
        signal
      );
      // A first question that was refused leaves one that nobody would know again.
      this._conversations = conversations.filter(
        ({ title, messageCount }) => title !== '' || messageCount > 0
      );
    }, signal);
  }

  async rename(id: string, title: string): Promise<void> {
    await this._attempt(() =>
      changeConversation(this._settings, id, { title })
    );
    await this.refresh();
  }

  async remove(id: string): Promise<void> {
    await this._attempt(() => deleteConversation(this._settings, id));
    await this.refresh();
  }

  dispose(): void {
    this._request?.abort();
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private async _attempt(
    act: () => Promise<unknown>,
    signal?: AbortSignal
  ): Promise<void> {
    try {
      await act();
      this._failure = null;
    } catch (error) {
      if (signal?.aborted === true) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer: Debouncer<void>;
  private _conversations: readonly IConversation[] | null = null;
  private _failure: IFailure | null = null;
  private _request: AbortController | null = null;
  private _search = '';
}
