import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IIconButtonProps {
  readonly icon: LabIcon;
  /** What it does: read out, and shown when pointed at. */
  readonly label: string;
  readonly onClick: (event: React.MouseEvent) => void;
  readonly disabled?: boolean;
  /** Does nothing for now, but keeps the focus, which a disabled button loses. */
  readonly unavailable?: boolean;
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
  unavailable = false,
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
      aria-disabled={unavailable}
      disabled={disabled}
      onClick={event => {
        if (!unavailable) {
          onClick(event);
        }
      }}
    >
      <icon.react tag="span" className="jp-llm-icon" />
    </button>
  );
}
