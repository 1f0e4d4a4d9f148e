import type { Message } from '@lumino/messaging';
import { Panel, type Widget } from '@lumino/widgets';

/** A panel whose content is loaded when it is first seen. */
export class LazyPanel<T extends Widget> extends Panel {
  constructor(private readonly _load: () => Promise<T>) {
    super();
    this.addClass('jp-llm-panel');
  }

  /** The content; loads it if that has not happened yet. */
  content(): Promise<T> {
    this._content ??= this._load().then(content => {
      this.addWidget(content);
      return content;
    });
    return this._content;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      void this.content();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.content();
  }

  private _content: Promise<T> | null = null;
}
