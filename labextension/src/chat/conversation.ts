import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import {
  changeConversation,
  createConversation,
  deleteConversation,
  deleteMessage,
  getConversation,
  type IConversationChange
} from '../api/conversations';
import { ask, attach, stopReply } from '../api/reply';
import { ApiError } from '../api/request';
import type {
  IAttachment,
  IFailure,
  IMessage,
  IOpenConversation,
  IQuestion,
  ISampling,
  ReplyPart
} from '../api/types';
import { Beat } from '../beat';
import { isAborted, pause } from '../pause';
import type { ILLMServer } from '../tokens';
import type { Activity } from './activity';
import { anAnswer, aQuestion, grow, isEmpty } from './answer';

const RETRY_MS = 1_000;

/** What a conversation is made with. */
export interface IManner {
  readonly model: string | null;
  readonly system: string;
  readonly options: ISampling;
}

/** One conversation: its messages, and the answer that is being written. */
export class ConversationModel implements IDisposable {
  constructor(
    private readonly _server: ILLMServer,
    opened: IOpenConversation | null = null,
    manner: IManner = { model: null, system: '', options: {} }
  ) {
    this._manner = manner;
    if (opened !== null) {
      this._take(opened);
      const signal = this._begin();
      void this._run(attach(_server.settings, opened.id, signal), signal, {
        isAttaching: true
      });
    }
  }

  /** Null until the first message is sent. */
  get id(): string | null {
    return this._id;
  }

  get manner(): IManner {
    return this._manner;
  }

  get messages(): readonly IMessage[] {
    return this._messages;
  }

  get activity(): Activity {
    return this._activity;
  }

  /** What failed last; null once something else is tried. */
  get failure(): IFailure | null {
    return this._failure;
  }

  /** Emitted after every change; while an answer grows no more than 12 a second. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when lists of conversations are out of date. */
  get stored(): ISignal<this, void> {
    return this._stored;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The ids of the messages that stand in a message's place, itself included. */
  siblings(message: IMessage): readonly string[] {
    return this._branches[message.id] ?? [message.id];
  }

  /** Ask; false if that failed, so that the question is still to be sent. */
  async send(
    content: string,
    attachments: readonly IAttachment[]
  ): Promise<boolean> {
    return this._ask(
      { content, ...(attachments.length > 0 && { attachments }) },
      this._messages,
      [aQuestion(content, attachments)]
    );
  }

  /** Have a question answered once more, beside the answer that is there. */
  async regenerate(answer: IMessage): Promise<boolean> {
    const kept = this._messages.slice(0, this._messages.indexOf(answer));
    const question = kept.at(-1);
    return question !== undefined && this._ask({ parent: question.id }, kept);
  }

  /** Ask otherwise, beside the question that is there. */
  async edit(question: IMessage, content: string): Promise<boolean> {
    const kept = this._messages.slice(0, this._messages.indexOf(question));
    const { attachments } = question;
    return this._ask(
      {
        parent: kept.at(-1)?.id ?? null,
        content,
        ...(attachments.length > 0 && { attachments })
      },
      kept,
      [{ ...question, content }]
    );
  }

  /** Have an answer that was cut off gone on with. */
  async resume(answer: IMessage): Promise<boolean> {
    const kept = this._messages.slice(0, this._messages.indexOf(answer));
    return this._ask({ parent: answer.id, continue: true }, kept);
  }

  /** Answer the last question, which has no answer. */
  async retry(): Promise<boolean> {
    const last = this._messages.at(-1);
    return (
      last?.role === 'user' && this._ask({ parent: last.id }, this._messages)
    );
  }

  /** End the answer that is being written, in the engine as well. */
  async stop(): Promise<void> {
    const before = this._activity;
    if (before.state === 'idle' || before.state === 'stopping') {
      return;
    }
    this._show({ state: 'stopping' });
    if (this._hasBegun) {
      await this._halt(before);
    }
  }

  /** Show the path through another message. */
  async choose(message: string): Promise<void> {
    await this._change({ head: message });
    await this.refresh();
  }

  /** Delete a message and what follows it. */
  async remove(message: IMessage): Promise<void> {
    if (this._id !== null) {
      await this._attempt(
        deleteMessage(this._server.settings, this._id, message.id)
      );
      await this.refresh();
    }
  }

  /** Answer with another model, system prompt or sampling from now on. */
  async set(manner: Partial<IManner>): Promise<void> {
    this._manner = { ...this._manner, ...manner };
    this._changed.emit();
    await this._change(manner);
  }

  /** Get what has become of it elsewhere, if nothing goes on here. */
  async refresh(): Promise<void> {
    if (this._id !== null && this._activity.state === 'idle') {
      const opened = await this._get(this._id, this._going.signal);
      if (opened !== null && isIdle(this._activity)) {
        this._take(opened);
      }
      this._changed.emit();
    }
  }

  dismiss(): void {
    this._failure = null;
    this._changed.emit();
  }

  /** Look no longer; an answer that is being written goes on. */
  dispose(): void {
    this._isDisposed = true;
    this._going.abort();
    this._beat.clear();
    Signal.clearData(this);
  }

  /**
   * Send a question, or have one answered again.
   *
   * `kept` is what comes before, `asked` is shown after it until the server has it.
   */
  private async _ask(
    question: IQuestion,
    kept: readonly IMessage[],
    asked: readonly IMessage[] = []
  ): Promise<boolean> {
    if (this._activity.state !== 'idle' || this._isDisposed) {
      return false;
    }
    const signal = this._begin();
    const before = this._messages;
    const isFirst = this._id === null;
    this._messages = [...kept, ...asked];
    this._show({ state: 'sending' });
    const id = await this._ensure();
    const { model } = this._manner;
    const asking = model === null ? question : { ...question, model };
    const begun =
      id !== null &&
      (await this._run(ask(this._server.settings, id, asking, signal), signal, {
        kept
      }));
    if (!begun) {
      this._messages = before;
      if (isFirst && id !== null && !isAborted(signal)) {
        void this._clear(id, signal);
      }
      this._show({ state: 'idle' });
    }
    return begun;
  }

  /**
   * Leave nothing of a conversation whose first question did not arrive.
   *
   * What the server has of it decides: where an answer was lost on its way, or refused
   * by something in between, the question may have been taken.
   */
  private async _clear(id: string, signal: AbortSignal): Promise<void> {
    const { settings } = this._server;
    try {
      const { messages } = await getConversation(settings, id, signal);
      if (messages.length === 0 && !isAborted(signal)) {
        this._id = null;
        await deleteConversation(settings, id);
      }
    } catch (error) {
      // An empty conversation more is no reason to complain.
      if (!(error instanceof ApiError) && !isAborted(signal)) {
        throw error;
      }
    }
    this._stored.emit();
  }

  /** Give up whatever is under way, for something else. */
  private _begin(): AbortSignal {
    this._going.abort();
    this._going = new AbortController();
    this._hasBegun = false;
    return this._going.signal;
  }

  /** Return the conversation's id, after making one; null if that failed. */
  private async _ensure(): Promise<string | null> {
    if (this._id === null) {
      const { messages } = this;
      const made = await this._attempt(
        createConversation(this._server.settings, this._manner)
      );
      if (made !== null) {
        this._take(made);
        this._messages = messages;
      }
    }
    return this._id;
  }

  /**
   * Follow an answer to its end, also over lost connections.
   *
   * Returns whether the server took the question.
   */
  private async _run(
    parts: AsyncGenerator<ReplyPart>,
    signal: AbortSignal,
    ground: { kept?: readonly IMessage[]; isAttaching?: boolean }
  ): Promise<boolean> {
    let begun = false;
    this._failure = null;
    for (;;) {
      try {
        for await (const part of parts) {
          begun = true;
          this._hear(part, ground);
        }
        break;
      } catch (error) {
        if (isAborted(signal)) {
          break;
        }
        if (!(error instanceof ApiError)) {
          throw error;
        }
        if (!begun || !isLost(error)) {
          this._failure = ground.isAttaching === true && !begun ? null : error;
          break;
        }
        this._show({ state: 'lost' });
        await pause(RETRY_MS, signal);
        parts = attach(this._server.settings, this._id ?? '', signal);
      }
    }
    if (isAborted(signal)) {
      return begun;
    }
    if (begun && this._id !== null) {
      const opened = await this._get(this._id, signal);
      if (opened !== null) {
        const answer = this._messages.at(-1);
        this._take(opened);
        this._keep(answer);
      }
      this._stored.emit();
    }
    if (begun || ground.isAttaching === true) {
      this._show({ state: 'idle' });
    }
    return begun;
  }

  private _hear(
    part: ReplyPart,
    { kept = this._messages }: { kept?: readonly IMessage[] }
  ): void {
    if (part.kind === 'begun') {
      const answer = anAnswer(part.answer, this._manner.model);
      this._messages = [
        ...upTo(kept, part.question, part.answer),
        ...(part.question === null ? [] : [part.question]),
        answer
      ];
      this._hasBegun = true;
      this._stored.emit();
      this._show(
        isIdle(this._activity) ? { state: 'sending' } : this._activity
      );
      if (this._activity.state === 'stopping') {
        void this._halt({ state: 'sending' });
      }
      return;
    }
    const last = this._messages.at(-1);
    if (last !== undefined) {
      this._messages = [...this._messages.slice(0, -1), grow(last, part)];
    }
    this._pace(part, last?.model ?? null);
    if (this._activity.state === 'stopping') {
      this._beat.set();
    } else if (part.kind === 'step') {
      this._show({ state: 'waiting', step: part.step });
    } else if (this._activity.state !== 'writing') {
      this._show({ state: 'writing' });
    } else {
      this._beat.set();
    }
  }

  /** Have the server end the answer; where that fails it goes on as `before`. */
  private async _halt(before: Activity): Promise<void> {
    const halted = await this._attempt(
      stopReply(this._server.settings, this._id ?? '').then(() => true)
    );
    if (halted === null && this._activity.state === 'stopping') {
      this._show(before);
    }
  }

  private _pace(part: ReplyPart, model: string | null): void {
    if (part.kind === 'timings' && model !== null) {
      const { tokensPerSecond } = part.timings;
      if (tokensPerSecond !== null) {
        this._server.pace.note(model, tokensPerSecond);
      }
    }
  }

  private async _get(
    id: string,
    signal: AbortSignal
  ): Promise<IOpenConversation | null> {
    return this._attempt(
      getConversation(this._server.settings, id, signal),
      signal
    );
  }

  /** Show an answer as it was seen to grow, where the server has less of it. */
  private _keep(answer: IMessage | undefined): void {
    if (answer?.role !== 'assistant' || isEmpty(answer)) {
      return;
    }
    const isStored = this._messages.some(({ id }) => id === answer.id);
    this._messages = isStored
      ? this._messages.map(message =>
          message.id === answer.id
            ? { ...message, timings: message.timings ?? answer.timings }
            : message
        )
      : [...this._messages, { ...answer, finishReason: 'lost' }];
  }

  private _take(opened: IOpenConversation): void {
    const { id, model, system, options, messages, branches } = opened;
    this._id = id;
    this._manner = { model: model ?? this._manner.model, system, options };
    this._messages = messages.filter(({ role }) => role !== 'system');
    this._branches = branches;
  }

  private async _change(change: IConversationChange): Promise<void> {
    if (this._id !== null) {
      await this._attempt(
        changeConversation(this._server.settings, this._id, change)
      );
    }
  }

  /** Wait for something; null, with the failure shown, where it fails. */
  private async _attempt<T>(
    doing: Promise<T>,
    signal?: AbortSignal
  ): Promise<T | null> {
    try {
      return await doing;
    } catch (error) {
      if (error instanceof ApiError) {
        this._failure = error;
        this._changed.emit();
      } else if (signal?.aborted !== true) {
        throw error;
      }
      return null;
    }
  }

  private _show(activity: Activity): void {
    this._activity = activity;
    this._beat.clear();
    this._changed.emit();
  }

  private readonly _beat = new Beat(() => {
    this._changed.emit();
  });
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stored = new Signal<this, void>(this);
  private _activity: Activity = { state: 'idle' };
  private _branches: Readonly<Record<string, readonly string[]>> = {};
  private _failure: IFailure | null = null;
  /** Ends what is under way: there is one thing at a time. */
  private _going = new AbortController();
  /** Whether the server has told that an answer is being written. */
  private _hasBegun = false;
  private _id: string | null = null;
  private _isDisposed = false;
  private _manner: IManner;
  private _messages: readonly IMessage[] = [];
}

/** What goes on can change while its holder waits, which types cannot see. */
function isIdle({ state }: Activity): boolean {
  return state === 'idle';
}

function isLost({ kind }: ApiError): boolean {
  return kind === 'unreachable' || kind === 'timeout';
}

/** The messages before a question and its answer, either of which may be there. */
function upTo(
  messages: readonly IMessage[],
  question: IMessage | null,
  answer: string
): readonly IMessage[] {
  const end = messages.findIndex(
    ({ id }) => id === answer || id === question?.id
  );
  return end < 0 ? messages : messages.slice(0, end);
}
