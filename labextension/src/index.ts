import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { cellsPlugin } from './plugins/cells';
import { chatPlugin } from './plugins/chat';
import { ghostTextPlugin } from './plugins/ghost-text';
import { modelsPlugin } from './plugins/models';
import { serverPlugin } from './plugins/server';
import { statusPlugin } from './plugins/status';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  serverPlugin,
  statusPlugin,
  modelsPlugin,
  chatPlugin,
  cellsPlugin,
  ghostTextPlugin
];

export default plugins;
