import { type Cell, isCodeCellModel } from '@jupyterlab/cells';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import {
  type INotebookTracker,
  type Notebook,
  NotebookActions
} from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IAttachment } from '../api/types';
import { errorOf, imagesOf, textOf } from './outputs';
import type { IFiles, IWorkspace, Place } from './workspace';

/** What is needed to let a person choose files. */
export interface IFileSource {
  readonly manager: IDocumentManager;
  readonly browser: IDefaultFileBrowser;
}

/** The notebook in front. */
export class NotebookWorkspace implements IWorkspace {
  constructor(
    private readonly _tracker: INotebookTracker,
    private readonly _files: IFileSource | null,
    private readonly _trans: TranslationBundle
  ) {
    _tracker.activeCellChanged.connect(this._onTracker);
    _tracker.currentChanged.connect(this._onTracker);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
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
    const [cell] = (this._notebook()?.widgets ?? [])
      .filter(({ model }) => errorOf(model) !== null)
      .reverse()
      .sort((one, other) => runOf(other) - runOf(one));
    if (cell === undefined) {
      return [];
    }
    const name = this._trans.__('Error in cell %1', this._numberOf(cell));
    const content = errorOf(cell.model) ?? '';
    return [this._source(cell), { kind: 'error', name, content }];
  }

  async files(): Promise<IFiles> {
    if (this._files === null) {
      return { attachments: [], failure: null };
    }
    const { manager, browser } = this._files;
    const { value } = await FileDialog.getOpenFiles({
      manager,
      title: this._trans.__('Attach files'),
      defaultPath: browser.model.path
    });
    const chosen = (value ?? []).filter(({ type }) => type !== 'directory');
    const read = await Promise.all(
      chosen.map(file => readText(manager.services.contents, file))
    );
    const others = chosen.filter((_, place) => read[place] === null);
    const message = this._trans.__(
      'Not attached, since they cannot be read as text: %1',
      others.map(({ name }) => name).join(', ')
    );
    return {
      attachments: read.filter(file => file !== null),
      failure:
        others.length === 0 ? null : { kind: 'refused', status: null, message }
    };
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

  dispose(): void {
    this._isDisposed = true;
    this._tracker.activeCellChanged.disconnect(this._onTracker);
    this._tracker.currentChanged.disconnect(this._onTracker);
    Signal.clearData(this);
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

  private readonly _onTracker = (): void => {
    this._changed.emit();
  };

  private readonly _changed = new Signal<this, void>(this);
  private _isDisposed = false;
}

/** Read a file as an attachment; null where it is no text. */
async function readText(
  contents: Contents.IManager,
  { path, name }: Contents.IModel
): Promise<IAttachment | null> {
  try {
    const file = await contents.get(path, {
      type: 'file',
      format: 'text',
      content: true
    });
    return { kind: 'file', name, content: String(file.content) };
  } catch {
    return null;
  }
}

/** The number of the run that a cell shows; 0 where it shows none. */
function runOf({ model }: Cell): number {
  return isCodeCellModel(model) ? (model.executionCount ?? 0) : 0;
}
