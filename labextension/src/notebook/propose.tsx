import type { Cell } from '@jupyterlab/cells';
import {
  type Notebook,
  NotebookActions,
  type NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout } from '@lumino/widgets';

import type { ILLMServer } from '../tokens';
import { errorOf } from './outputs';
import { ProposalModel } from './proposal';
import { type ITarget, ProposalPanel } from './proposal-panel';
import type { EditKind } from './tasks';

/** Places in a cell's layout: its header, its input, then ours. */
const BELOW_INPUT = 2;

/** Have a model write new code for a cell, and show it below the cell's input. */
export function propose(
  kind: EditKind,
  { content: notebook }: NotebookPanel,
  cell: Cell,
  server: ILLMServer,
  trans: TranslationBundle
): void {
  const { layout } = cell;
  if (!(layout instanceof PanelLayout)) {
    return;
  }
  for (const widget of layout.widgets) {
    if (widget instanceof ProposalPanel) {
      widget.dispose();
    }
  }
  const model = new ProposalModel(
    server,
    kind,
    {
      language: notebook.model?.defaultKernelLanguage ?? '',
      source: cell.model.sharedModel.getSource(),
      error: errorOf(cell.model)
    },
    trans
  );
  layout.insertWidget(
    BELOW_INPUT,
    new ProposalPanel(
      model,
      kind === 'test' ? belowCell(notebook, cell) : inCell(notebook, cell),
      trans
    )
  );
}

/** In the place of a cell's code. */
function inCell(notebook: Notebook, cell: Cell): ITarget {
  const { sharedModel, contentChanged } = cell.model;
  return {
    get source() {
      return sharedModel.getSource();
    },
    changed: contentChanged,
    put: code => {
      sharedModel.setSource(code);
    },
    focus: () => {
      notebook.activeCellIndex = notebook.widgets.indexOf(cell);
      notebook.activate();
    }
  };
}

/** In a new cell below a cell. */
function belowCell(notebook: Notebook, cell: Cell): ITarget {
  return {
    source: '',
    changed: cell.model.contentChanged,
    put: code => {
      notebook.activeCellIndex = notebook.widgets.indexOf(cell);
      NotebookActions.insertBelow(notebook);
      notebook.activeCell?.model.sharedModel.setSource(code);
    },
    focus: () => {
      notebook.activate();
    }
  };
}
