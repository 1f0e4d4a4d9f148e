import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

/** A panel whose content is loaded when it is first seen. */
export class LazyPanel<T extends Widget> extends Panel {
  constructor(
    private readonly _load: () => Promise<T>,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-llm-panel');
  }

  /**
   * The content; loads it if that has not happened yet. Rejects where that fails.
   *
   * Content that comes after the panel was closed is disposed.
   */
  content(): Promise<T> {
    this._content ??= this._load().then(
      content => {
        if (this.isDisposed) {
          content.dispose();
        } else {
          this._complaint?.dispose();
          this.addWidget(content);
        }
        return content;
      },
      (error: unknown) => {
        this._content = null;
        if (!this.isDisposed) {
          this._complain();
        }
        throw error;
      }
    );
    return this._content;
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._show();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._show();
  }

  private _show(): void {
    this.content().catch((error: unknown) => {
      // eslint-disable-next-line no-console -- The panel tells people; who mends it needs the error itself.
      console.error(error);
    });
  }

  private _complain(): void {
    if (this._complaint?.isDisposed === false) {
      return;
    }
    const words = document.createElement('span');
    words.className = 'jp-llm-notice-text';
    words.textContent = this._trans.__(
      'This panel could not be loaded: the Jupyter server cannot be reached, or was updated. Try again, or reload the page.'
    );
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-llm-button';
    button.textContent = this._trans.__('Try again');
    button.addEventListener('click', () => {
      this._show();
    });
    this._complaint = new Widget();
    this._complaint.addClass('jp-llm-notice');
    this._complaint.node.setAttribute('role', 'alert');
    this._complaint.node.append(words, button);
    this.addWidget(this._complaint);
  }

  private _complaint: Widget | null = null;
  private _content: Promise<T> | null = null;
}
