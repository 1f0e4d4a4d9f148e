import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { IDisposable } from '@lumino/disposable';
import { Widget } from '@lumino/widgets';

const MARKDOWN = 'text/markdown';

/** Renders one block into a node, again whenever its source has changed. */
export class BlockRenderer implements IDisposable {
  constructor(
    rendermime: IRenderMimeRegistry,
    private readonly _host: HTMLElement,
    private readonly _rendered: (node: HTMLElement) => void
  ) {
    this._renderer = rendermime.createRenderer(MARKDOWN);
    this._renderer.addClass('jp-llm-rendered');
    Widget.attach(this._renderer, _host);
  }

  get isDisposed(): boolean {
    return this._renderer.isDisposed;
  }

  /** Render a source; of those given while one is rendered, only the last. */
  show(source: string): void {
    this._wanted = source;
    if (!this._isRendering) {
      void this._render();
    }
  }

  dispose(): void {
    document.removeEventListener('selectionchange', this._onSelection);
    Widget.detach(this._renderer);
    this._renderer.dispose();
  }

  private async _render(): Promise<void> {
    this._isRendering = true;
    while (this._wanted !== null && !this.isDisposed) {
      if (this._isSelected()) {
        // What a person is about to copy must not be replaced under them.
        document.addEventListener('selectionchange', this._onSelection);
        break;
      }
      const data = { [MARKDOWN]: this._wanted };
      this._wanted = null;
      await this._renderer.renderModel(new MimeModel({ data }));
      this._rendered(this._renderer.node);
    }
    this._isRendering = false;
  }

  private readonly _onSelection = (): void => {
    if (!this._isSelected()) {
      document.removeEventListener('selectionchange', this._onSelection);
      void this._render();
    }
  };

  private _isSelected(): boolean {
    const selection = document.getSelection();
    return (
      selection?.isCollapsed === false &&
      (this._host.contains(selection.anchorNode) ||
        this._host.contains(selection.focusNode))
    );
  }

  private readonly _renderer: IRenderMime.IRenderer;
  private _isRendering = false;
  private _wanted: string | null = null;
}
