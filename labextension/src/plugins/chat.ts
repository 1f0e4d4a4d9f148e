import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { ChatPanel } from '../chat/chat-panel';
import type { IManner } from '../chat/conversation';
import { CommandIDs } from '../commands';
import { chatIcon } from '../icons';
import { LazyPanel } from '../lazy-panel';
import { ILLMServer } from '../tokens';

const SIDEBAR = 'jp-llm-chat';

/** The chat, in the right sidebar and, for those who want room, in the main area. */
export const chatPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-llm-ext:chat',
  description: 'A chat with the language models of the Jupyter server.',
  autoStart: true,
  requires: [ILLMServer, IRenderMimeRegistry],
  optional: [
    INotebookTracker,
    IDocumentManager,
    IDefaultFileBrowser,
    ITranslator,
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    ISettingRegistry
  ],
  activate: (
    app: JupyterFrontEnd,
    server: ILLMServer,
    rendermime: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    manager: IDocumentManager | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter-llm-ext');
    const make = async (place: string): Promise<ChatPanel> => {
      const [panel, parts, notebook, loaded] = await Promise.all([
        import('../chat/chat-panel'),
        import('../chat/make-chat'),
        import('../notebook/notebook-workspace'),
        // A chat without them is better than none.
        registry?.load(chatPlugin.id).catch(() => null)
      ]);
      const manner = (): IManner => {
        const { model, systemPrompt } = loaded?.composite ?? {};
        return {
          model: typeof model === 'string' && model !== '' ? model : null,
          system: typeof systemPrompt === 'string' ? systemPrompt : '',
          options: {}
        };
      };
      const files =
        manager === null || browser === null ? null : { manager, browser };
      const workspace =
        tracker === null
          ? null
          : new notebook.NotebookWorkspace(tracker, files, trans);
      const { model, rendering } = parts.makeChat(
        { server, rendermime, workspace, manner, trans },
        place
      );
      return new panel.ChatPanel(model, rendering, trans);
    };
    const panel = new LazyPanel(() => make(SIDEBAR), trans);
    panel.id = SIDEBAR;
    dress(panel);
    app.shell.add(panel, 'right', { rank: 900, type: 'Chat' });
    restorer?.add(panel, panel.id);

    const inMain = new WidgetTracker<MainAreaWidget<LazyPanel<ChatPanel>>>({
      namespace: 'jupyter-llm-ext-chat'
    });
    void restorer?.restore(inMain, {
      command: CommandIDs.openChatInMain,
      args: widget => ({ id: widget.id }),
      name: widget => widget.id
    });

    app.commands.addCommand(CommandIDs.openChat, {
      label: trans.__('Show Chat'),
      caption: trans.__('Talk to a language model of this server'),
      icon: chatIcon,
      execute: async args => {
        app.shell.activateById(panel.id);
        const chat = await panel.content();
        chat.activate();
        const { ask, cell, source } = args;
        if (
          typeof ask === 'string' &&
          typeof cell === 'string' &&
          typeof source === 'string'
        ) {
          await chat.model.askAbout(ask, [
            { kind: 'cell', name: cell, content: source }
          ]);
        }
      }
    });
    app.commands.addCommand(CommandIDs.newChat, {
      label: trans.__('New Conversation'),
      caption: trans.__('Begin a conversation with a language model'),
      icon: chatIcon,
      execute: async () => {
        app.shell.activateById(panel.id);
        const chat = await panel.content();
        chat.model.fresh();
        chat.activate();
      }
    });
    app.commands.addCommand(CommandIDs.openChatInMain, {
      label: args =>
        args['isLauncher'] === true
          ? trans.__('Chat')
          : trans.__('Chat in the Main Area'),
      caption: trans.__('Talk to a language model of this server'),
      icon: chatIcon,
      execute: args => {
        const { id } = args;
        const place =
          typeof id === 'string' ? id : `jp-llm-chat-${crypto.randomUUID()}`;
        const content = new LazyPanel(() => make(place), trans);
        const widget = new MainAreaWidget({ content });
        widget.id = place;
        widget.toolbar.hide();
        dress(widget);
        widget.title.label = trans.__('Chat');
        widget.title.closable = true;
        void inMain.add(widget);
        app.shell.add(widget, 'main');
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    const category = trans.__('Language Models');
    for (const command of [
      CommandIDs.openChat,
      CommandIDs.newChat,
      CommandIDs.openChatInMain
    ]) {
      palette?.addItem({ command, category });
    }
    launcher?.add({
      command: CommandIDs.openChatInMain,
      args: { isLauncher: true },
      category: trans.__('Other'),
      rank: 10
    });

    function dress({
      title,
      node
    }: Pick<LazyPanel<ChatPanel>, 'title' | 'node'>): void {
      title.icon = chatIcon;
      title.caption = trans.__('Chat with a language model');
      node.setAttribute('role', 'region');
      node.setAttribute('aria-label', trans.__('Chat with a language model'));
    }
  }
};
