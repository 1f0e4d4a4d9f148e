import type { Change, IDownload, IModelInfo, IModelList } from '../api/types';

/** What is known of the server's models and downloads. */
export interface IWorld {
  readonly list: IModelList;
  readonly downloads: readonly IDownload[];
}

/** Before anything is known. */
export const NOTHING: IWorld = {
  list: { default: null, models: [], remote: [] },
  downloads: []
};

/** Return what is known after a change. */
export function apply(world: IWorld, change: Change): IWorld {
  switch (change.kind) {
    case 'snapshot':
      return { list: change.list, downloads: change.downloads };
    case 'model':
      return withModels(world, put(world.list.models, change.model));
    case 'model-removed':
      return withModels(world, without(world.list.models, change.id));
    case 'provider':
      return withRemote(world, [
        ...world.list.remote.filter(({ provider }) => provider !== change.name),
        ...change.models
      ]);
    case 'download':
      return { ...world, downloads: put(world.downloads, change.download) };
    case 'download-removed':
      return { ...world, downloads: without(world.downloads, change.id) };
  }
}

function withModels(world: IWorld, models: readonly IModelInfo[]): IWorld {
  return { ...world, list: { ...world.list, models } };
}

function withRemote(world: IWorld, remote: readonly IModelInfo[]): IWorld {
  return { ...world, list: { ...world.list, remote } };
}

function put<T extends { readonly id: string }>(
  items: readonly T[],
  item: T
): readonly T[] {
  return items.some(({ id }) => id === item.id)
    ? items.map(old => (old.id === item.id ? item : old))
    : [...items, item];
}

function without<T extends { readonly id: string }>(
  items: readonly T[],
  gone: string
): readonly T[] {
  return items.filter(({ id }) => id !== gone);
}
