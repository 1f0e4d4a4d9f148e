import type { IModelInfo, ModelState } from '../api/types';

/** What models in a group have in common. */
export type GroupName = 'loaded' | 'passing' | 'failed' | 'available';

/** Models that belong together. */
export interface IGroup {
  readonly name: GroupName;
  readonly models: readonly IModelInfo[];
}

const ORDER: readonly GroupName[] = [
  'loaded',
  'passing',
  'failed',
  'available'
];

const NAMES: Readonly<Record<ModelState, GroupName>> = {
  ready: 'loaded',
  busy: 'loaded',
  loading: 'passing',
  unloading: 'passing',
  failed: 'failed',
  unloaded: 'available'
};

/** Put the models whose name holds `filter` into groups; empty ones are left out. */
export function groupModels(
  models: readonly IModelInfo[],
  filter: string
): IGroup[] {
  const wanted = filter.trim().toLowerCase();
  const found = models.filter(({ id }) => id.toLowerCase().includes(wanted));
  return ORDER.map(name => ({
    name,
    models: found.filter(model => groupOf(model) === name)
  })).filter(group => group.models.length > 0);
}

/** A file that cannot be read has failed already, though nobody tried to load it. */
function groupOf({ state, error }: IModelInfo): GroupName {
  return state === 'unloaded' && error !== null ? 'failed' : NAMES[state];
}
