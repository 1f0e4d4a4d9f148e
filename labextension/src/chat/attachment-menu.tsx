import { addIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IAttachment } from '../api/types';
import { IconButton } from '../icon-button';
import type { IWorkspace } from '../notebook/workspace';
import { useChanges } from '../use-changes';
import { useWords } from '../words';

interface IAttachmentMenuProps {
  readonly workspace: IWorkspace;
  /** Whether the model sees images. */
  readonly seesImages: boolean;
  readonly onAttach: (attachments: readonly IAttachment[]) => void;
  readonly onAttachFiles: () => void;
}

/** Attaches parts of the notebook in front, and files. */
export function AttachmentMenu({
  workspace,
  seesImages,
  onAttach,
  onAttachFiles
}: IAttachmentMenuProps): React.ReactElement {
  const trans = useWords();
  useChanges(workspace.changed);
  const [isOpen, setOpen] = React.useState(false);
  const menu = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (isOpen) {
      menu.current?.querySelector<HTMLButtonElement>('button:enabled')?.focus();
    }
  }, [isOpen]);
  const choices: [string, () => readonly IAttachment[]][] = [
    [trans.__('Current cell'), () => workspace.cell()],
    [trans.__('Selected cells'), () => workspace.selectedCells()],
    [
      trans.__('Output of the current cell'),
      () => workspace.outputs(seesImages)
    ],
    [trans.__('Last error'), () => workspace.error()]
  ];
  return (
    <div
      ref={menu}
      className="jp-llm-menu"
      onKeyDown={onKeyDown}
      onBlur={({ relatedTarget, currentTarget }) => {
        if (!currentTarget.contains(relatedTarget)) {
          setOpen(false);
        }
      }}
    >
      <IconButton
        icon={addIcon}
        label={trans.__('Attach something')}
        expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
        }}
      />
      {isOpen && (
        <div
          className="jp-llm-menu-items"
          role="group"
          aria-label={trans.__('Attach something')}
        >
          {choices.map(([label, get]) => (
            <button
              key={label}
              type="button"
              disabled={get().length === 0}
              onClick={() => {
                setOpen(false);
                onAttach(get());
              }}
            >
              {label}
            </button>
          ))}
          <button
            type="button"
            onClick={() => {
              setOpen(false);
              onAttachFiles();
            }}
          >
            {trans.__('File…')}
          </button>
        </div>
      )}
    </div>
  );

  function onKeyDown(event: React.KeyboardEvent<HTMLDivElement>): void {
    const items = [
      ...event.currentTarget.querySelectorAll<HTMLButtonElement>(
        '.jp-llm-menu-items > button:enabled'
      )
    ];
    const place = items.findIndex(item => item === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      setOpen(false);
      event.currentTarget.querySelector('button')?.focus();
    } else if (step !== undefined && isOpen) {
      event.preventDefault();
      items.at((place + step) % items.length)?.focus();
    }
  }
}
