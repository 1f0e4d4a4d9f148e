import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import * as React from 'react';

import type { IWorkspace } from '../notebook/workspace';
import type { ImageGuard } from './image-guard';

/** What answers are rendered with. */
export interface IRendering {
  readonly rendermime: IRenderMimeRegistry;
  readonly images: ImageGuard;
  /** Where code can be put; null where there are no notebooks. */
  readonly workspace: IWorkspace | null;
}

const Context = React.createContext<IRendering | null>(null);

/** Gives all components below what answers are rendered with. */
export const RenderingProvider = Context.Provider;

/** What answers are rendered with. */
export function useRendering(): IRendering {
  const rendering = React.useContext(Context);
  if (rendering === null) {
    throw new Error('There is no RenderingProvider above.');
  }
  return rendering;
}
