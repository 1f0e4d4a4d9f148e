import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ICompletionProviderManager } from '@jupyterlab/completer';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { GhostIndicator } from '../ghost/ghost-indicator';
import { type Enabled, GhostModel } from '../ghost/model';
import { GhostProvider } from '../ghost/provider';
import { ILLMServer } from '../tokens';

/** Suggests text at the cursor. */
export const ghostTextPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:ghost-text',
  description: 'Suggests text at the cursor, from a model that is loaded.',
  autoStart: true,
  requires: [ILLMServer, ICompletionProviderManager],
  optional: [ISettingRegistry, ITranslator, IStatusBar, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    server: ILLMServer,
    completions: ICompletionProviderManager,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const model = new GhostModel(server);
    completions.registerInlineProvider(new GhostProvider(model, trans));

    const follow = (settings: ISettingRegistry.ISettings): void => {
      const read = (): void => {
        const { composite } = settings;
        model.settings = {
          enabled: composite['enabled'] as Enabled,
          maxTokens: composite['maxTokens'] as number,
          contextCharacters: composite['contextCharacters'] as number
        };
      };
      settings.changed.connect(read);
      read();
    };
    const ignore = (): void => {
      // What the model begins with, or was told last, holds until the page is left.
    };
    registry?.load(ghostTextPlugin.id).then(follow, ignore);
    const toggle = (): void => {
      const enabled = model.isOn ? 'off' : 'on';
      model.settings = { ...model.settings, enabled };
      registry?.set(ghostTextPlugin.id, 'enabled', enabled).catch(ignore);
    };
    app.commands.addCommand(CommandIDs.toggleGhostText, {
      label: trans.__('Suggest Text at the Cursor'),
      isToggled: () => model.isOn,
      execute: toggle
    });
    palette?.addItem({
      command: CommandIDs.toggleGhostText,
      category: trans.__('Language Models')
    });
    statusBar?.registerStatusItem(ghostTextPlugin.id, {
      item: new GhostIndicator(model, trans, toggle),
      align: 'left',
      rank: 21
    });
  }
};
