import type { ServerConnection } from '@jupyterlab/services';
import { Token } from '@lumino/coreutils';

import type { FeedModel } from './server/feed';
import type { PaceModel } from './server/pace';

/** What all parts of the extension know of the server. */
export interface ILLMServer {
  readonly settings: ServerConnection.ISettings;
  readonly feed: FeedModel;
  readonly pace: PaceModel;
}

export const ILLMServer = new Token<ILLMServer>(
  'jupyter-llm-ext:ILLMServer',
  'What the Jupyter server says of its language models.'
);
