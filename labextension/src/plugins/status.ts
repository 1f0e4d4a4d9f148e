import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { StatusIndicator } from '../status/indicator';
import { StatusModel } from '../status/model';

/** Shows in the status bar which language model is loaded. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:status',
  description: 'Shows in the status bar which language model is loaded.',
  autoStart: true,
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    if (statusBar === null) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const model = new StatusModel(app.serviceManager.serverSettings);
    const item = new StatusIndicator(model, trans);
    item.disposed.connect(() => {
      model.dispose();
    });
    statusBar.registerStatusItem(statusPlugin.id, {
      item,
      align: 'left',
      rank: 20
    });
  }
};
