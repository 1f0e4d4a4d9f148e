import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IAttachment } from '../api/types';
import { IconButton } from '../icon-button';
import { useWords } from '../words';

interface IAttachmentChipsProps {
  readonly attachments: readonly IAttachment[];
  readonly onRemove?: (attachment: IAttachment) => void;
}

/** What goes, or went, to the model with a question. */
export function AttachmentChips({
  attachments,
  onRemove
}: IAttachmentChipsProps): React.ReactElement | null {
  const trans = useWords();
  if (attachments.length === 0) {
    return null;
  }
  return (
    <ul className="jp-llm-chips" aria-label={trans.__('Attachments')}>
      {attachments.map((attachment, index) => (
        <li key={index} className="jp-llm-chip" title={preview(attachment)}>
          <span>{attachment.name}</span>
          {onRemove && (
            <IconButton
              icon={closeIcon}
              label={trans.__('Remove %1', attachment.name)}
              onClick={() => {
                onRemove(attachment);
              }}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

function preview({ kind, content }: IAttachment): string {
  return kind === 'image' ? '' : content.slice(0, 600);
}
