import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { listPrompts } from '../api/prompts';
import type { IAttachment, IPrompt } from '../api/types';

/** What is about to be sent. */
export class ComposerModel implements IDisposable {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  get text(): string {
    return this._text;
  }

  set text(text: string) {
    const isNew = text.startsWith('/') && !this._text.startsWith('/');
    this._text = text;
    if (isNew) {
      void this._askForPrompts();
    }
    this._changed.emit();
  }

  get attachments(): readonly IAttachment[] {
    return this._attachments;
  }

  /** Prompts whose name begins with what follows a slash; none without a slash. */
  get suggestions(): readonly IPrompt[] {
    const match = /^\/(\S*)$/.exec(this._text);
    const wanted = match?.[1]?.toLowerCase();
    return wanted === undefined
      ? []
      : this._prompts.filter(({ name }) =>
          name.toLowerCase().startsWith(wanted)
        );
  }

  /** All that a model reads of it as text: the attachments, then what is asked. */
  get content(): string {
    const texts = this._attachments.filter(({ kind }) => kind !== 'image');
    return [...texts.map(({ content }) => content), this._text]
      .filter(part => part !== '')
      .join('\n\n');
  }

  get isEmpty(): boolean {
    return this._text.trim() === '' && this._attachments.length === 0;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  attach(...attachments: readonly IAttachment[]): void {
    this._attachments = [...this._attachments, ...attachments];
    this._changed.emit();
  }

  detach(attachment: IAttachment): void {
    this._attachments = this._attachments.filter(one => one !== attachment);
    this._changed.emit();
  }

  /** Put a prompt's text in the place of its name. */
  use(prompt: IPrompt): void {
    this.text = prompt.template;
  }

  /** Return what is to be sent, and be empty. */
  take(): { text: string; attachments: readonly IAttachment[] } {
    const taken = { text: this._text, attachments: this._attachments };
    this._text = '';
    this._attachments = [];
    this._changed.emit();
    return taken;
  }

  /** Take back what could not be sent, before what was written since. */
  giveBack(text: string, attachments: readonly IAttachment[]): void {
    this._text = [text, this._text].filter(part => part !== '').join('\n');
    this._attachments = [...attachments, ...this._attachments];
    this._changed.emit();
  }

  dispose(): void {
    this._isDisposed = true;
    this._asking.abort();
    Signal.clearData(this);
  }

  private async _askForPrompts(): Promise<void> {
    this._asking.abort();
    this._asking = new AbortController();
    try {
      this._prompts = await listPrompts(this._settings, this._asking.signal);
    } catch {
      // Those that are known stay; the next slash asks again.
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _asking = new AbortController();
  private _attachments: readonly IAttachment[] = [];
  private _isDisposed = false;
  private _prompts: readonly IPrompt[] = [];
  private _text = '';
}
