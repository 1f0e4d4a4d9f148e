import type { Cell } from '@jupyterlab/cells';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import {
  type INotebookTracker,
  type Notebook,
  NotebookActions
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IAttachment } from '../api/types';
import { errorOf, imagesOf, textOf } from './outputs';
import type { IWorkspace, Place } from './workspace';

/** What is needed to let a person choose files. */
export interface IFiles {
  readonly manager: IDocumentManager;
  readonly browser: IDefaultFileBrowser;
}

/** The notebook in front. */
export class NotebookWorkspace implements IWorkspace {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _files: IFiles | null,
    private readonly _trans: TranslationBundle
  ) {
    const changed = (): void => {
      this._changed.emit();
    };
    _tracker.activeCellChanged.connect(changed);
    _tracker.currentChanged.connect(changed);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get hasCell(): boolean {
    return this._tracker.activeCell !== null;
  }

  cell(): readonly IAttachment[] {
    const { activeCell } = this._tracker;
    return activeCell === null ? [] : [this._source(activeCell)];
  }

  selectedCells(): readonly IAttachment[] {
    const notebook = this._notebook();
    return notebook === null
      ? []
      : notebook.widgets
          .filter(cell => notebook.isSelectedOrActive(cell))
          .map(cell => this._source(cell));
  }

  outputs(withImages: boolean): readonly IAttachment[] {
    const { activeCell } = this._tracker;
    if (activeCell === null) {
      return [];
    }
    const number = this._numberOf(activeCell);
    const text = textOf(activeCell.model);
    const images = withImages ? imagesOf(activeCell.model) : [];
    const name = this._trans.__('Output of cell %1', number);
    return [
      ...(text === '' ? [] : [{ kind: 'output', name, content: text }]),
      ...images.map(content => ({
        kind: 'image',
        name: this._trans.__('Image of cell %1', number),
        content
      }))
    ];
  }

  error(): readonly IAttachment[] {
    for (const cell of [...(this._notebook()?.widgets ?? [])].reverse()) {
      const content = errorOf(cell.model);
      if (content !== null) {
        const name = this._trans.__('Error in cell %1', this._numberOf(cell));
        return [this._source(cell), { kind: 'error', name, content }];
      }
    }
    return [];
  }

  async files(): Promise<readonly IAttachment[]> {
    if (this._files === null) {
      return [];
    }
    const { manager, browser } = this._files;
    const { value } = await FileDialog.getOpenFiles({
      manager,
      title: this._trans.__('Attach files'),
      defaultPath: browser.model.path
    });
    const chosen = (value ?? []).filter(({ type }) => type !== 'directory');
    return Promise.all(
      chosen.map(async ({ path, name }) => {
        const file = await manager.services.contents.get(path, {
          type: 'file',
          format: 'text',
          content: true
        });
        return { kind: 'file', name, content: String(file.content) };
      })
    );
  }

  put(code: string, place: Place): void {
    const notebook = this._notebook();
    if (notebook === null) {
      return;
    }
    if (place === 'above') {
      NotebookActions.insertAbove(notebook);
    } else if (place === 'below') {
      NotebookActions.insertBelow(notebook);
    }
    notebook.activeCell?.model.sharedModel.setSource(code);
  }

  private _notebook(): Notebook | null {
    return this._tracker.currentWidget?.content ?? null;
  }

  private _source(cell: Cell): IAttachment {
    return {
      kind: 'cell',
      name: this._trans.__('Cell %1', this._numberOf(cell)),
      content: cell.model.sharedModel.getSource()
    };
  }

  private _numberOf(cell: Cell): number {
    return (this._notebook()?.widgets.indexOf(cell) ?? -1) + 1;
  }

  private readonly _changed = new Signal<this, void>(this);
}
