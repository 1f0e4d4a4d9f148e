import * as React from 'react';

import type { IDevice } from '../api/types';
import { formatBytes } from '../format';
import { useWords } from '../words';

/** How full the memory of each device is, and how much of it models take. */
export function DeviceList({
  devices
}: {
  readonly devices: readonly IDevice[];
}): React.ReactElement {
  const trans = useWords();
  return (
    <footer
      className="jp-llm-devices"
      role="group"
      aria-label={trans.__('Memory of the machine')}
    >
      {devices.map(device => (
        <DeviceBar key={device.name} device={device} />
      ))}
    </footer>
  );
}

function DeviceBar({
  device
}: {
  readonly device: IDevice;
}): React.ReactElement {
  const trans = useWords();
  const { name, description, total, free, limit, setAside } = device;
  const used = total - free;
  const words = trans.__(
    '%1 for models, of %2; %3 free',
    formatBytes(setAside),
    formatBytes(limit),
    formatBytes(free)
  );
  return (
    <div className="jp-llm-device" title={description}>
      <div className="jp-llm-device-words">
        <strong>{name}</strong> <span>{words}</span>
      </div>
      <div
        className="jp-llm-device-bar"
        role="img"
        aria-label={trans.__('%1: %2', name, words)}
      >
        <div
          className="jp-llm-device-used"
          style={{ width: share(used, total) }}
        />
        <div
          className="jp-llm-device-models"
          style={{ width: share(setAside, total) }}
        />
      </div>
    </div>
  );
}

function share(part: number, whole: number): string {
  const fraction = whole === 0 ? 0 : Math.min(1, Math.max(0, part / whole));
  return `${(100 * fraction).toFixed(1)}%`;
}
