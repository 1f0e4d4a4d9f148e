import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { modelsIcon } from '../icons';
import { LazyPanel } from '../lazy-panel';
import { ILLMServer } from '../tokens';

/** The Models panel, in the left sidebar. */
export const modelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:models',
  description: 'A sidebar with the language models of the Jupyter server.',
  autoStart: true,
  requires: [ILLMServer],
  optional: [ITranslator, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    server: ILLMServer,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const panel = new LazyPanel(async () => {
      const [{ LibraryModel }, { LibraryPanel }] = await Promise.all([
        import('../library/model'),
        import('../library/library-panel')
      ]);
      return new LibraryPanel(new LibraryModel(server), trans);
    }, trans);
    panel.id = 'jp-llm-models';
    panel.title.icon = modelsIcon;
    panel.title.caption = trans.__('Language models');
    panel.node.setAttribute('role', 'region');
    panel.node.setAttribute('aria-label', trans.__('Language models'));
    app.shell.add(panel, 'left', { rank: 600, type: 'Language models' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(CommandIDs.openModels, {
      label: trans.__('Show Language Models'),
      caption: trans.__('Load, unload, download and delete language models'),
      icon: modelsIcon,
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    palette?.addItem({
      command: CommandIDs.openModels,
      category: trans.__('Language Models')
    });
  }
};
