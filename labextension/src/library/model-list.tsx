import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { useWords } from '../words';
import type { GroupName, IGroup } from './groups';
import type { LibraryModel } from './model';
import { ModelRow } from './model-row';

interface IModelListProps {
  readonly groups: readonly IGroup[];
  readonly model: LibraryModel;
}

/**
 * All models, each group under a heading.
 *
 * The headings stand among the rows: a model that changes its group is moved, where in
 * a list of its own it would be made anew, and lose the focus.
 */
export function ModelList({
  groups,
  model
}: IModelListProps): React.ReactElement {
  const trans = useWords();
  return (
    <ul>
      {groups.flatMap(({ name, models }) => [
        <li key={`group ${name}`}>
          <h2>
            {title(name, trans)}{' '}
            <span className="jp-llm-count">{models.length}</span>
          </h2>
        </li>,
        ...models.map(info => (
          <ModelRow
            key={`model ${info.id}`}
            group={name}
            info={info}
            model={model}
          />
        ))
      ])}
    </ul>
  );
}

function title(name: GroupName, trans: TranslationBundle): string {
  switch (name) {
    case 'loaded':
      return trans.__('Loaded');
    case 'passing':
      return trans.__('Loading and unloading');
    case 'failed':
      return trans.__('Failed');
    case 'available':
      return trans.__('Available');
  }
}
