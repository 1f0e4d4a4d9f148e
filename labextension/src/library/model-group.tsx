import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { useWords } from '../words';
import type { GroupName, IGroup } from './groups';
import type { LibraryModel } from './model';
import { ModelRow } from './model-row';

interface IModelGroupProps {
  readonly group: IGroup;
  readonly model: LibraryModel;
}

/** Models in the same state, under a heading. */
export function ModelGroup({
  group,
  model
}: IModelGroupProps): React.ReactElement {
  const trans = useWords();
  return (
    <section className="jp-llm-group" data-group={group.name}>
      <h2>
        {title(group.name, trans)}{' '}
        <span className="jp-llm-count">{group.models.length}</span>
      </h2>
      <ul>
        {group.models.map(info => (
          <ModelRow key={info.id} info={info} model={model} />
        ))}
      </ul>
    </section>
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
