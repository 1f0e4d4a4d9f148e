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
import type { GroupName } from './groups';
import { LoadForm } from './load-form';
import type { LibraryModel } from './model';

interface IButtonProps {
  readonly info: IModelInfo;
  readonly model: LibraryModel;
}

interface IModelRowProps extends IButtonProps {
  readonly group: GroupName;
}

/** One model: what it is, how it is, and what can be done with it. */
export function ModelRow({
  group,
  info,
  model
}: IModelRowProps): React.ReactElement {
  const trans = useWords();
  const main = React.useRef<HTMLButtonElement>(null);
  const [isPlanning, setPlanning] = React.useState(false);
  const problem = model.problems.get(info.id);
  const canLoad = info.state === 'unloaded' || info.state === 'failed';
  return (
    <li
      className="jp-llm-row"
      data-group={group}
      data-state={info.state}
      data-model={info.id}
    >
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
        <MainButton info={info} model={model} buttonRef={main} />
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
          onLoad={options => {
            // What opened the form goes away while the model is loaded.
            main.current?.focus();
            setPlanning(false);
            void model.load(info.id, options);
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

interface IMainButtonProps extends IButtonProps {
  readonly buttonRef: React.Ref<HTMLButtonElement>;
}

/** Loads a model, or takes it out of memory. */
function MainButton({
  info,
  model,
  buttonRef
}: IMainButtonProps): React.ReactElement {
  const trans = useWords();
  const canLoad = info.state === 'unloaded' || info.state === 'failed';
  const mustWait =
    info.state === 'unloading' || (canLoad && model.isPending(info.id));
  const labels = canLoad
    ? [trans.__('Load'), trans.__('Load %1', info.id)]
    : info.state === 'loading'
      ? [trans.__('Cancel'), trans.__('Cancel the load of %1', info.id)]
      : [trans.__('Unload'), trans.__('Unload %1', info.id)];
  return (
    <button
      type="button"
      className="jp-llm-button"
      ref={buttonRef}
      aria-label={labels[1]}
      // A button that is disabled loses the focus.
      aria-disabled={mustWait}
      onClick={() => {
        if (!mustWait) {
          void (canLoad ? model.load(info.id) : model.unload(info.id));
        }
      }}
    >
      {labels[0]}
    </button>
  );
}

function PinButton({ info, model }: IButtonProps): React.ReactElement {
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
}: Pick<IButtonProps, 'info'>): React.ReactElement | null {
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
