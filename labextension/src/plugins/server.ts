import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { FeedModel } from '../server/feed';
import { PaceModel } from '../server/pace';
import { ILLMServer } from '../tokens';

/** Knows the server's models, and asks for them when somebody looks. */
export const serverPlugin: JupyterFrontEndPlugin<ILLMServer> = {
  id: 'jupyter-llm-ext:server',
  description: 'Knows the language models of the Jupyter server.',
  autoStart: true,
  provides: ILLMServer,
  activate: (app: JupyterFrontEnd): ILLMServer => {
    const settings = app.serviceManager.serverSettings;
    return { settings, feed: new FeedModel(settings), pace: new PaceModel() };
  }
};
