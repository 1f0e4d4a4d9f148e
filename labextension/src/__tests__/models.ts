import type { IModelInfo } from '../api/types';

/** A model named hello that is not loaded, but for what is given. */
export function aModel(given: Partial<IModelInfo> = {}): IModelInfo {
  return {
    id: 'hello',
    state: 'unloaded',
    progress: null,
    error: null,
    slots: null,
    size: 0,
    source: 'folder',
    capabilities: ['chat'],
    parameters: null,
    quantization: null,
    trainedContext: null,
    contextLength: null,
    memory: null,
    pinned: false,
    provider: null,
    ...given
  };
}
