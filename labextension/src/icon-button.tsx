import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IIconButtonProps {
  readonly icon: LabIcon;
  /** What it does: read out, and shown when pointed at. */
  readonly label: string;
  readonly onClick: (event: React.MouseEvent) => void;
  readonly disabled?: boolean;
  /** For buttons that stay pressed. */
  readonly pressed?: boolean;
  /** For buttons that open and close something. */
  readonly expanded?: boolean;
}

/** A button that shows an icon alone. */
export function IconButton({
  icon,
  label,
  onClick,
  disabled = false,
  pressed,
  expanded
}: IIconButtonProps): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-llm-icon-button"
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      disabled={disabled}
      onClick={onClick}
    >
      <icon.react tag="span" className="jp-llm-icon" />
    </button>
  );
}
