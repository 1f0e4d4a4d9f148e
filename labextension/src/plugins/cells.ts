import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { isCodeCellModel } from '@jupyterlab/cells';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Menu } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import {
  bugIcon,
  chatIcon,
  codeCheckIcon,
  editIcon,
  type LabIcon,
  listIcon
} from '../icons';
import { errorOf } from '../notebook/outputs';
import type { EditKind } from '../notebook/tasks';
import { ILLMServer } from '../tokens';

/** What a model can do for the active cell: toolbar, context menu and palette. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:cells',
  description: 'Has a language model explain and edit cells.',
  autoStart: true,
  requires: [ILLMServer, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    { commands }: JupyterFrontEnd,
    server: ILLMServer,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const category = trans.__('Language Models');
    const isCode = (): boolean => {
      const cell = tracker.activeCell;
      return cell !== null && isCodeCellModel(cell.model);
    };
    const hasFailed = (): boolean => {
      const cell = tracker.activeCell;
      return cell !== null && errorOf(cell.model) !== null;
    };

    commands.addCommand(CommandIDs.explain, {
      label: trans.__('Explain This Cell'),
      icon: chatIcon,
      isEnabled: () => isCode() && commands.hasCommand(CommandIDs.openChat),
      execute: async () => {
        const { currentWidget, activeCell } = tracker;
        if (currentWidget !== null && activeCell !== null) {
          const place = currentWidget.content.widgets.indexOf(activeCell) + 1;
          await commands.execute(CommandIDs.openChat, {
            ask: trans.__('Explain this code.'),
            cell: trans.__('Cell %1', place),
            source: activeCell.model.sharedModel.getSource()
          });
        }
      }
    });
    palette?.addItem({ command: CommandIDs.explain, category });

    const addEdit = (
      command: string,
      kind: EditKind,
      label: string,
      icon: LabIcon,
      isEnabled: () => boolean
    ): void => {
      commands.addCommand(command, {
        label,
        icon,
        isEnabled,
        ...(kind === 'fix' && { isVisible: isEnabled }),
        execute: async () => {
          // Before anything is waited for: another cell may be active then.
          const { currentWidget, activeCell } = tracker;
          if (currentWidget !== null && activeCell !== null) {
            const { propose } = await import('../notebook/propose');
            propose(kind, currentWidget, activeCell, server, trans);
          }
        }
      });
      palette?.addItem({ command, category });
    };
    addEdit(
      CommandIDs.fix,
      'fix',
      trans.__('Fix the Error'),
      bugIcon,
      hasFailed
    );
    addEdit(
      CommandIDs.refactor,
      'refactor',
      trans.__('Refactor'),
      editIcon,
      isCode
    );
    addEdit(
      CommandIDs.comment,
      'comment',
      trans.__('Add Comments'),
      listIcon,
      isCode
    );
    addEdit(
      CommandIDs.test,
      'test',
      trans.__('Write a Test'),
      codeCheckIcon,
      isCode
    );

    const menu = new Menu({ commands });
    for (const command of [
      CommandIDs.explain,
      CommandIDs.fix,
      CommandIDs.refactor,
      CommandIDs.comment,
      CommandIDs.test
    ]) {
      menu.addItem({ command });
    }
    commands.addCommand(CommandIDs.cellMenu, {
      label: trans.__('Language Model'),
      caption: trans.__('What a language model can do for this cell'),
      icon: chatIcon,
      isVisible: isCode,
      execute: () => {
        const place = tracker.activeCell?.node
          .querySelector(`[data-command="${CommandIDs.cellMenu}"]`)
          ?.getBoundingClientRect();
        if (place !== undefined) {
          menu.open(place.left, place.bottom);
        }
      }
    });
  }
};
