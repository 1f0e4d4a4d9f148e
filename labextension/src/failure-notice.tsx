import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFailure } from './api/types';
import { whatFailed, whatToDo } from './failure';
import { IconButton } from './icon-button';
import { useWords } from './words';

interface IFailureNoticeProps {
  readonly failure: IFailure;
  /** Whether the page tries again by itself. */
  readonly isRetried?: boolean;
  readonly onRetry?: () => void;
  readonly onClose?: () => void;
}

/** What went wrong and what can be done, in words. */
export function FailureNotice({
  failure,
  isRetried,
  onRetry,
  onClose
}: IFailureNoticeProps): React.ReactElement {
  const trans = useWords();
  return (
    <div className="jp-llm-notice" role="alert">
      <div className="jp-llm-notice-text">
        <strong>{whatFailed(failure, trans)}</strong>{' '}
        {whatToDo(failure, trans, isRetried)}
      </div>
      {onRetry && (
        <button type="button" className="jp-llm-button" onClick={onRetry}>
          {trans.__('Try again')}
        </button>
      )}
      {onClose && (
        <IconButton
          icon={closeIcon}
          label={trans.__('Dismiss')}
          onClick={onClose}
        />
      )}
    </div>
  );
}
