import { Clipboard } from '@jupyterlab/apputils';
import {
  addAboveIcon,
  addBelowIcon,
  checkIcon,
  copyIcon,
  editIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import { IconButton } from '../icon-button';
import { useChanges } from '../use-changes';
import { useWords } from '../words';
import type { IWorkspace } from '../notebook/workspace';
import { useRendering } from './rendering';

const COPIED_MS = 1_500;

/** In which language a piece of code is, and what can be done with it. */
export function CodeTools({
  code,
  language
}: {
  readonly code: string;
  readonly language: string;
}): React.ReactElement {
  const trans = useWords();
  const { workspace } = useRendering();
  return (
    <div
      className="jp-llm-code-tools"
      role="toolbar"
      aria-label={trans.__('Code')}
    >
      <span className="jp-llm-code-language">{language}</span>
      <CopyButton text={code} label={trans.__('Copy the code')} />
      {workspace && <PutButtons code={code} workspace={workspace} />}
    </div>
  );
}

/** Copies a text, and says so. */
export function CopyButton({
  text,
  label
}: {
  readonly text: string;
  readonly label: string;
}): React.ReactElement {
  const trans = useWords();
  const [isCopied, setCopied] = React.useState(false);
  React.useEffect(() => {
    if (!isCopied) {
      return;
    }
    const timer = setTimeout(() => {
      setCopied(false);
    }, COPIED_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [isCopied]);
  return (
    <>
      <IconButton
        icon={isCopied ? checkIcon : copyIcon}
        label={isCopied ? trans.__('Copied') : label}
        onClick={() => {
          Clipboard.copyToSystem(text);
          setCopied(true);
        }}
      />
    </>
  );
}

function PutButtons({
  code,
  workspace
}: {
  readonly code: string;
  readonly workspace: IWorkspace;
}): React.ReactElement {
  const trans = useWords();
  useChanges(workspace.changed);
  const disabled = !workspace.hasCell;
  return (
    <>
      <IconButton
        icon={addAboveIcon}
        label={trans.__('Insert above the active cell')}
        disabled={disabled}
        onClick={() => {
          workspace.put(code, 'above');
        }}
      />
      <IconButton
        icon={addBelowIcon}
        label={trans.__('Insert below the active cell')}
        disabled={disabled}
        onClick={() => {
          workspace.put(code, 'below');
        }}
      />
      <IconButton
        icon={editIcon}
        label={trans.__('Replace the active cell')}
        disabled={disabled}
        onClick={() => {
          workspace.put(code, 'replace');
        }}
      />
    </>
  );
}
