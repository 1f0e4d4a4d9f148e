import * as React from 'react';

interface IMeterProps {
  readonly label: string;
  /** Between 0 and 1; null where nobody knows. */
  readonly fraction: number | null;
}

/** A bar that fills as something goes on. */
export function Meter({ label, fraction }: IMeterProps): React.ReactElement {
  const percent = fraction === null ? null : Math.round(fraction * 100);
  return (
    <div
      className="jp-llm-meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent ?? undefined}
      data-unknown={percent === null}
    >
      <div style={{ width: `${(percent ?? 100).toString()}%` }} />
    </div>
  );
}
