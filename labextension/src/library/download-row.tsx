import type { TranslationBundle } from '@jupyterlab/translation';
import {
  closeIcon,
  pauseIcon,
  refreshIcon,
  runIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IDownload } from '../api/types';
import { FailureNotice } from '../failure-notice';
import { formatBytes, formatPercent, formatSeconds } from '../format';
import { IconButton } from '../icon-button';
import { Meter } from '../meter';
import { useWords } from '../words';
import type { LibraryModel } from './model';

interface IDownloadRowProps {
  readonly download: IDownload;
  readonly model: LibraryModel;
}

/** A download: how far it is, and what can be done about it. */
export function DownloadRow({
  download,
  model
}: IDownloadRowProps): React.ReactElement {
  const trans = useWords();
  const { id, reference, state, done, total } = download;
  const problem = model.problems.get(id);
  return (
    <li className="jp-llm-row" data-state={state} data-download={id}>
      <div className="jp-llm-row-head">
        <span className="jp-llm-row-name" title={reference}>
          {reference}
        </span>
        <Controls download={download} model={model} />
      </div>
      <div className="jp-llm-row-state">{describe(download, trans)}</div>
      {state !== 'failed' && (
        <Meter
          label={trans.__('Download of %1', reference)}
          fraction={total === null ? null : done / Math.max(1, total)}
        />
      )}
      {problem && (
        <FailureNotice
          failure={problem}
          onClose={() => {
            model.dismiss(id);
          }}
        />
      )}
    </li>
  );
}

function Controls({ download, model }: IDownloadRowProps): React.ReactElement {
  const trans = useWords();
  const { id, reference, state } = download;
  const canResume = state === 'paused' || state === 'failed';
  const canPause = state === 'downloading' || state === 'waiting';
  return (
    <>
      <IconButton
        icon={
          state === 'failed' ? refreshIcon : canResume ? runIcon : pauseIcon
        }
        label={
          canResume
            ? trans.__('Go on with the download of %1', reference)
            : trans.__('Pause the download of %1', reference)
        }
        unavailable={!canResume && !canPause}
        onClick={() => {
          void model.steer(id, canResume ? 'resume' : 'pause');
        }}
      />
      <IconButton
        icon={closeIcon}
        label={trans.__('Cancel the download of %1', reference)}
        onClick={() => {
          void (state === 'failed'
            ? model.forget(id)
            : model.steer(id, 'cancel'));
        }}
      />
    </>
  );
}

function describe(download: IDownload, trans: TranslationBundle): string {
  const { state, done, total, rate, secondsLeft, error } = download;
  switch (state) {
    case 'waiting':
      return trans.__('Waiting for other downloads');
    case 'resolving':
      return trans.__('Asking the hub');
    case 'verifying':
      return trans.__('Verifying');
    case 'paused':
      return trans.__('Paused at %1', formatBytes(done));
    case 'failed':
      return error?.message ?? trans.__('It failed.');
    case 'downloading': {
      const facts = [
        total === null ? formatBytes(done) : formatPercent(done / total),
        total === null ? '' : trans.__('of %1', formatBytes(total)),
        rate === null ? '' : trans.__('· %1/s', formatBytes(rate)),
        secondsLeft === null
          ? ''
          : trans.__('· %1 left', formatSeconds(secondsLeft))
      ];
      return facts.filter(fact => fact !== '').join(' ');
    }
    case 'done':
    case 'cancelled':
      return '';
  }
}
