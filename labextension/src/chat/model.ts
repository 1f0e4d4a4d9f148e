import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  exportConversation,
  type ExportFormat,
  getConversation
} from '../api/conversations';
import { ApiError } from '../api/request';
import type {
  IAttachment,
  IConversation,
  IFailure,
  IModelInfo
} from '../api/types';
import type { IWorkspace } from '../notebook/workspace';
import { isAborted } from '../pause';
import type { Connection } from '../server/feed';
import type { ILLMServer } from '../tokens';
import { ComposerModel } from './composer';
import { ConversationModel, type IManner } from './conversation';
import { fileNameOf, saveAs } from './save-as';
import { ShelfModel } from './shelf';
import { TokenCountModel } from './token-count';

const ENDINGS: Readonly<Record<ExportFormat, string>> = {
  markdown: 'md',
  notebook: 'ipynb'
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
    this._wanted = _memory.get();
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

  /** What failed last beside the conversation; null once that is past. */
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
    if (this._wanted !== null) {
      void this.open(this._wanted);
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

  dismiss(): void {
    this._failure = null;
    this._changed.emit();
  }

  /** Begin anew, with the model of the settings, or else the one that answered. */
  fresh(): void {
    const manner = this._manner();
    const model = manner.model ?? this._conversation.manner.model;
    this._show(new ConversationModel(this._server, null, { ...manner, model }));
  }

  /** Show a conversation, unless something else is to be shown before it is here. */
  async open(id: string): Promise<void> {
    const signal = this._wait();
    this._wanted = id;
    this._failure = null;
    try {
      const opened = await getConversation(this._server.settings, id, signal);
      if (!isAborted(signal)) {
        this._show(new ConversationModel(this._server, opened));
      }
    } catch (error) {
      if (isAborted(signal)) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (error.kind === 'missing') {
        // A conversation that is gone is no reason to complain.
        this._wanted = null;
      } else {
        this._failure = error;
      }
      this._changed.emit();
    }
  }

  /** Attach text files that a person chooses; what is none is complained about. */
  async attachFiles(): Promise<void> {
    const files = await this.workspace?.files();
    if (files !== undefined) {
      this.composer.attach(...files.attachments);
      this._failure = files.failure ?? this._failure;
      this._changed.emit();
    }
  }

  /** Send what the composer holds. */
  async send(): Promise<void> {
    const { composer, conversation } = this;
    if (!composer.isEmpty && conversation.activity.state === 'idle') {
      const { text, attachments } = composer.take();
      await this.ask(text, attachments);
    }
  }

  /** Ask, whatever the composer holds; it gets what could not be sent. */
  async ask(
    text: string,
    attachments: readonly IAttachment[] = []
  ): Promise<void> {
    const { conversation } = this;
    this._stay();
    await this._settleModel(conversation);
    if (!(await conversation.send(text, attachments))) {
      this.composer.giveBack(text, attachments);
    }
  }

  /** Ask about something, in a conversation of its own. */
  async askAbout(
    question: string,
    attachments: readonly IAttachment[]
  ): Promise<void> {
    this.fresh();
    const signal = this._wait();
    try {
      await this._server.feed.once(signal);
    } catch (error) {
      if (isAborted(signal)) {
        return;
      }
      if (!(error instanceof ApiError)) {
        throw error;
      }
      // The panel says already that the server is away; the question waits.
      this.composer.giveBack(question, attachments);
      return;
    }
    await this.ask(question, attachments);
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
    this._waiting.abort();
    this.stop();
    this._server.feed.changed.disconnect(this._onFeed);
    this._conversation.dispose();
    this.composer.dispose();
    this.count.dispose();
    this.shelf.dispose();
    this.workspace?.dispose();
    Signal.clearData(this);
  }

  /** Name the model, so that the conversation stays with it. */
  private async _settleModel(conversation: ConversationModel): Promise<void> {
    if (conversation.manner.model === null && this.model !== null) {
      await conversation.set({ model: this.model.id });
    }
  }

  private _show(conversation: ConversationModel): void {
    this._stay();
    this._failure = null;
    this._conversation.dispose();
    this._conversation = this._watch(conversation);
    this._number += 1;
    this._memory.set(conversation.id);
    this._changed.emit();
  }

  /** Wait for something no longer, and for something else from now on. */
  private _wait(): AbortSignal {
    this._waiting.abort();
    this._waiting = new AbortController();
    return this._waiting.signal;
  }

  /** Stay with the conversation that is shown, or is about to be. */
  private _stay(): void {
    this._waiting.abort();
    this._wanted = null;
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
    const wasLive = this._isLive;
    this._isLive = this.connection.state === 'live';
    const isBack = this._isLive && !wasLive && this._hold !== null;
    if (isBack && this._failure !== null && this._wanted !== null) {
      void this.open(this._wanted);
    }
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
  private _hold: IDisposable | null = null;
  private _isDisposed = false;
  private _isLive = false;
  private _number = 0;
  /** Ends what is waited for before another conversation can be shown or asked. */
  private _waiting = new AbortController();
  /** The conversation that could not be shown yet. */
  private _wanted: string | null;
}
