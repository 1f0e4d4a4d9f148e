import type { IModelInfo } from '../api/types';

/** A model named hello that is not loaded, but for what is given. */
export function aModel(given: Partial<IModelInfo> = {}): IModelInfo {
  return {
    id: 'hello',
    state: 'unloaded',
    progress: null,
    error: null,
    slots: null,
    ...given
  };
}
