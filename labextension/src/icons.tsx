import { LabIcon } from '@jupyterlab/ui-components';

export {
  bugIcon,
  codeCheckIcon,
  editIcon,
  LabIcon,
  listIcon
} from '@jupyterlab/ui-components';

const frame = (content: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">${content}</svg>`;

/** A speech bubble: the chat. */
export const chatIcon = new LabIcon({
  name: 'jupyter-llm-ext:chat',
  svgstr: frame(
    '<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M4 3h16a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm3 5v2h10V8zm0 4v2h7v-2z"/>'
  )
});

/** Layers with a spark: the models. */
export const modelsIcon = new LabIcon({
  name: 'jupyter-llm-ext:models',
  svgstr: frame(
    '<path class="jp-icon3 jp-icon-selectable" fill="#616161" d="M12 2 2 7l10 5 10-5zM4.2 10.9 2 12l10 5 10-5-2.2-1.1L12 14.8zM4.2 15.9 2 17l10 5 10-5-2.2-1.1L12 19.8z"/>'
  )
});

/** A pin: what stays loaded. */
export const pinIcon = new LabIcon({
  name: 'jupyter-llm-ext:pin',
  svgstr: frame(
    '<path class="jp-icon3" fill="#616161" d="M15 3v6l3 3v2h-5v7l-1 1-1-1v-7H6v-2l3-3V3H8V1h8v2z"/>'
  )
});

/** An arrow that leaves a box: sends what was written. */
export const sendIcon = new LabIcon({
  name: 'jupyter-llm-ext:send',
  svgstr: frame(
    '<path class="jp-icon3" fill="#616161" d="M3 20v-6l8-2-8-2V4l19 8z"/>'
  )
});
