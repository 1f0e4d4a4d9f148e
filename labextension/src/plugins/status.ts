import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { StatusIndicator } from '../status/indicator';
import { StatusModel } from '../status/model';
import { ILLMServer } from '../tokens';

/** Shows in the status bar which language model is loaded. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:status',
  description: 'Shows in the status bar which language model is loaded.',
  autoStart: true,
  requires: [ILLMServer],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    { feed, pace }: ILLMServer,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    if (statusBar === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const model = new StatusModel(feed, pace);
    const item = new StatusIndicator(model, trans, () => {
      if (app.commands.hasCommand(CommandIDs.openModels)) {
        void app.commands.execute(CommandIDs.openModels);
      }
    });
    item.disposed.connect(() => {
      model.dispose();
    });
    // JupyterLab hides a status bar that is switched off when it has restored its
    // layout: added before, the item would be seen, and ask, for a moment.
    void app.restored.then(() => {
      requestAnimationFrame(() => {
        statusBar.registerStatusItem(statusPlugin.id, {
          item,
          align: 'left',
          rank: 20
        });
      });
    });
  }
};
