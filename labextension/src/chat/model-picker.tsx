import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IModelInfo } from '../api/types';
import { formatPercent } from '../format';
import type { Connection } from '../server/feed';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import type { ChatModel } from './model';

/** Chooses the model that answers, and shows the states of all. */
export function ModelPicker({
  model
}: {
  readonly model: ChatModel;
}): React.ReactElement {
  const trans = useWords();
  useChanges(model.conversation.changed);
  const chosen = model.model;
  const wanted = model.conversation.manner.model;
  return (
    <label className="jp-llm-picker" data-state={chosen?.state ?? 'unloaded'}>
      <span className="jp-llm-dot" aria-hidden="true" />
      <select
        className="jp-llm-input"
        aria-label={trans.__('Model')}
        value={chosen?.id ?? ''}
        onChange={({ target }) => {
          void model.conversation.set({ model: target.value });
        }}
      >
        {chosen === null && (
          <option value="">
            {describeLack(wanted, model.connection, trans)}
          </option>
        )}
        {model.models.map(info => (
          <option key={info.id} value={info.id}>
            {label(info, trans)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Say why the model that is wanted, null for any, is not there. */
function describeLack(
  wanted: string | null,
  { state }: Connection,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'connecting':
      return wanted ?? trans.__('Connecting…');
    case 'offline':
      return wanted ?? trans.__('Not connected');
    case 'live':
      return wanted === null
        ? trans.__('No model yet')
        : trans.__('%1 is gone', wanted);
  }
}

function label(
  { id, state, progress, provider }: IModelInfo,
  trans: TranslationBundle
): string {
  if (provider !== null) {
    return id; // who has it stands before the slash
  }
  switch (state) {
    case 'ready':
      return trans.__('%1 (loaded)', id);
    case 'busy':
      return trans.__('%1 (answering)', id);
    case 'loading':
      return progress === null
        ? trans.__('%1 (loading)', id)
        : trans.__('%1 (loading, %2)', id, formatPercent(progress.fraction));
    case 'failed':
      return trans.__('%1 (failed)', id);
    case 'unloaded':
    case 'unloading':
      return id;
  }
}
