import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  exportConversation,
  type ExportFormat,
  getConversation
} from '../api/conversations';
import { ApiError } from '../api/request';
import type { IConversation, IFailure, IModelInfo } from '../api/types';
import type { IWorkspace } from '../notebook/workspace';
import type { Connection } from '../server/feed';
import type { ILLMServer } from '../tokens';
import { ComposerModel } from './composer';
import { ConversationModel, type IManner } from './conversation';
import { fileNameOf, saveAs } from './save-as';
import { ShelfModel } from './shelf';
import { TokenCountModel } from './token-count';

const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  markdown: 'md',
  notebook: 'ipynb',
  jsonl: 'jsonl'
};

/** Where a page remembers its conversation over a reload. */
export interface IMemory {
  get(): string | null;
  set(id: string | null): void;
}

/** What a chat panel shows and does. */
export class ChatModel implements IDisposable {
  constructor(
    private readonly _server: ILLMServer,
    private readonly _memory: IMemory,
    private readonly _manner: () => IManner,
    readonly workspace: IWorkspace | null
  ) {
    this.composer = new ComposerModel(_server.settings);
    this.count = new TokenCountModel(_server.settings);
    this.shelf = new ShelfModel(_server.settings);
    this._conversation = this._watch(
      new ConversationModel(_server, null, _manner())
    );
    _server.feed.changed.connect(this._onFeed);
    this.composer.changed.connect(this._recount);
    this._changed.connect(this._recount);
  }

  readonly composer: ComposerModel;
  /** Of what the composer holds. */
  readonly count: TokenCountModel;
  readonly shelf: ShelfModel;

  get connection(): Connection {
    return this._server.feed.connection;
  }

  get conversation(): ConversationModel {
    return this._conversation;
  }

  /** Grows with every conversation that is shown; tells one from the next. */
  get number(): number {
    return this._number;
  }

  /** Why a conversation could not be opened. */
  get failure(): IFailure | null {
    return this._failure;
  }

  /** The models that can chat, those of other servers last. */
  get models(): readonly IModelInfo[] {
    const { models, remote } = this._server.feed.list;
    return [...models, ...remote].filter(
      ({ capabilities }) =>
        capabilities.length === 0 || capabilities.includes('chat')
    );
  }

  /** The model that answers; null where there is none. */
  get model(): IModelInfo | null {
    const id =
      this._conversation.manner.model ?? this._server.feed.list.default;
    return this.models.find(model => model.id === id) ?? null;
  }

  /** Emitted when another conversation is shown, or the models changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Follow the server while the panel is seen. */
  start(): void {
    this._hold ??= this._server.feed.hold();
    if (!this._hasStarted) {
      this._hasStarted = true;
      const id = this._memory.get();
      if (id !== null) {
        void this.open(id);
      }
    } else {
      void this._conversation.refresh();
    }
  }

  stop(): void {
    this._hold?.dispose();
    this._hold = null;
  }

  /** Try again to reach the server. */
  retry(): void {
    this._server.feed.retry();
  }

  /** Begin anew, with the model that answered so far. */
  fresh(): void {
    const manner = this._manner();
    const model = this._conversation.manner.model ?? manner.model;
    this._show(new ConversationModel(this._server, null, { ...manner, model }));
  }

  /** Show a conversation. */
  async open(id: string): Promise<void> {
    try {
      const opened = await getConversation(this._server.settings, id);
      this._show(new ConversationModel(this._server, opened));
      this._failure = null;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      // A conversation that is gone is no reason to complain.
      this._failure = error.kind === 'missing' ? null : error;
      this._changed.emit();
    }
  }

  /** Send what the composer holds. */
  async send(): Promise<void> {
    const { composer, conversation } = this;
    if (composer.isEmpty || conversation.activity.state !== 'idle') {
      return;
    }
    await this._settleModel();
    const { text, attachments } = composer.take();
    if (!(await conversation.send(text, attachments))) {
      composer.giveBack(text, attachments);
    }
  }

  /** Ask about the active cell, in a conversation of its own. */
  async askAboutCell(question: string): Promise<void> {
    this.fresh();
    this.composer.attach(...(this.workspace?.cell() ?? []));
    this.composer.text = question;
    try {
      await this._server.feed.once(new AbortController().signal);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      // The panel says already that the server is away; the question waits.
      return;
    }
    await this.send();
  }

  /** Give a conversation another title. */
  async rename(id: string, title: string): Promise<void> {
    if (id === this._conversation.id) {
      await this._conversation.rename(title);
    } else {
      await this.shelf.rename(id, title);
    }
  }

  /** Have the browser save a conversation as a file. */
  async export(
    { id, title }: Pick<IConversation, 'id' | 'title'>,
    format: ExportFormat
  ): Promise<void> {
    try {
      const blob = await exportConversation(this._server.settings, id, format);
      saveAs(blob, `${fileNameOf(title)}.${ENDINGS[format]}`);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
      this._changed.emit();
    }
  }

  /** Delete a conversation; the one that is shown gives way to a new one. */
  async remove(id: string): Promise<void> {
    if (id === this._conversation.id) {
      this.fresh();
    }
    await this.shelf.remove(id);
  }

  dispose(): void {
    this._isDisposed = true;
    this.stop();
    this._server.feed.changed.disconnect(this._onFeed);
    this._conversation.dispose();
    this.count.dispose();
    this.shelf.dispose();
    Signal.clearData(this);
  }

  /** Name the model, so that the conversation stays with it. */
  private async _settleModel(): Promise<void> {
    if (this._conversation.manner.model === null && this.model !== null) {
      await this._conversation.set({ model: this.model.id });
    }
  }

  private _show(conversation: ConversationModel): void {
    this._conversation.dispose();
    this._conversation = this._watch(conversation);
    this._number += 1;
    this._memory.set(conversation.id);
    this._changed.emit();
  }

  private _watch(conversation: ConversationModel): ConversationModel {
    conversation.changed.connect(this._recount);
    conversation.stored.connect(() => {
      this._memory.set(conversation.id);
      void this.shelf.refresh();
    });
    return conversation;
  }

  private readonly _onFeed = (): void => {
    this._changed.emit();
  };

  private readonly _recount = (): void => {
    const { model } = this;
    this.count.look(
      this.composer.content,
      model?.provider === null ? model.id : null
    );
  };

  private readonly _changed = new Signal<this, void>(this);
  private _conversation: ConversationModel;
  private _failure: IFailure | null = null;
  private _hasStarted = false;
  private _hold: IDisposable | null = null;
  private _isDisposed = false;
  private _number = 0;
}
