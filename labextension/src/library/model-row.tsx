import { Dialog, showDialog } from '@jupyterlab/apputils';
import { deleteIcon, settingsIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IModelInfo } from '../api/types';
import { FailureNotice } from '../failure-notice';
import { formatBytes } from '../format';
import { IconButton } from '../icon-button';
import { pinIcon } from '../icons';
import { Meter } from '../meter';
import { describeLoad } from '../stage';
import { useWords } from '../words';
import { describeFacts, describeState } from './facts';
import { LoadForm } from './load-form';
import type { LibraryModel } from './model';

interface IModelRowProps {
  readonly info: IModelInfo;
  readonly model: LibraryModel;
}

/** One model: what it is, how it is, and what can be done with it. */
export function ModelRow({ info, model }: IModelRowProps): React.ReactElement {
  const trans = useWords();
  const [isPlanning, setPlanning] = React.useState(false);
  const problem = model.problems.get(info.id);
  const canLoad = info.state === 'unloaded' || info.state === 'failed';
  return (
    <li className="jp-llm-row" data-state={info.state} data-model={info.id}>
      <div className="jp-llm-row-head">
        <span className="jp-llm-dot" aria-hidden="true" />
        <span className="jp-llm-row-name" title={info.id}>
          {info.id}
        </span>
        <PinButton info={info} model={model} />
        {canLoad && (
          <IconButton
            icon={settingsIcon}
            label={trans.__('Load %1 with options', info.id)}
            expanded={isPlanning}
            onClick={() => {
              setPlanning(!isPlanning);
            }}
          />
        )}
        {canLoad && info.source === 'folder' && (
          <IconButton
            icon={deleteIcon}
            label={trans.__('Delete %1', info.id)}
            onClick={() => {
              void askAndDelete();
            }}
          />
        )}
        <MainButton info={info} model={model} />
      </div>
      <div className="jp-llm-row-facts">{describeFacts(info, trans)}</div>
      <RowState info={info} />
      {canLoad && isPlanning && (
        <LoadForm
          info={info}
          model={model}
          onClose={() => {
            setPlanning(false);
          }}
        />
      )}
      {problem && (
        <FailureNotice
          failure={problem}
          onClose={() => {
            model.dismiss(info.id);
          }}
        />
      )}
    </li>
  );

  async function askAndDelete(): Promise<void> {
    const { button } = await showDialog({
      title: trans.__('Delete %1?', info.id),
      body: trans.__(
        'Its files, %1, are deleted from the server. This cannot be undone.',
        formatBytes(info.size)
      ),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Delete') })
      ]
    });
    if (button.accept) {
      await model.remove(info.id);
    }
  }
}

/** Loads a model, or takes it out of memory. */
function MainButton({ info, model }: IModelRowProps): React.ReactElement {
  const trans = useWords();
  const canLoad = info.state === 'unloaded' || info.state === 'failed';
  const labels = canLoad
    ? [trans.__('Load'), trans.__('Load %1', info.id)]
    : info.state === 'loading'
      ? [trans.__('Cancel'), trans.__('Cancel the load of %1', info.id)]
      : [trans.__('Unload'), trans.__('Unload %1', info.id)];
  return (
    <button
      type="button"
      className="jp-llm-button"
      aria-label={labels[1]}
      disabled={
        info.state === 'unloading' || (canLoad && model.isPending(info.id))
      }
      onClick={() => {
        void (canLoad ? model.load(info.id) : model.unload(info.id));
      }}
    >
      {labels[0]}
    </button>
  );
}

function PinButton({ info, model }: IModelRowProps): React.ReactElement {
  const trans = useWords();
  return (
    <IconButton
      icon={pinIcon}
      label={
        info.pinned
          ? trans.__('Let %1 be unloaded when others need room', info.id)
          : trans.__('Keep %1 loaded, whoever needs room', info.id)
      }
      pressed={info.pinned}
      onClick={() => {
        void model.pin(info.id, !info.pinned);
      }}
    />
  );
}

/** What passes by: progress, requests, an error. */
function RowState({
  info
}: Pick<IModelRowProps, 'info'>): React.ReactElement | null {
  const trans = useWords();
  if (info.state === 'loading') {
    const words =
      info.progress === null
        ? trans.__('Loading')
        : describeLoad(info.progress, trans);
    return (
      <>
        <div className="jp-llm-row-state">{words}</div>
        <Meter
          label={trans.__('Load of %1', info.id)}
          fraction={info.progress?.fraction ?? null}
        />
      </>
    );
  }
  const words = describeState(info, trans);
  return words === null ? null : (
    <div className="jp-llm-row-state">{words}</div>
  );
}
