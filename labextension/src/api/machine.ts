import type { ServerConnection } from '@jupyterlab/services';

import { isRecord, list, number, text } from './read';
import { callJson, notUnderstood } from './request';
import type { IDevice, IMachine } from './types';

/** Ask what the models run on. Does not count as activity. */
export async function getMachine(
  settings: ServerConnection.ISettings,
  signal: AbortSignal
): Promise<IMachine> {
  const body = await callJson(settings, {
    path: 'status',
    query: { no_track_activity: '1' },
    signal
  });
  if (!isRecord(body)) {
    throw notUnderstood();
  }
  const runtime = isRecord(body['runtime']) ? body['runtime'] : {};
  return {
    devices: list(body['devices'], readDevice),
    problem: text(runtime['problem'], null)
  };
}

function readDevice(value: unknown): IDevice {
  const seat = isRecord(value) ? value : {};
  const device = isRecord(seat['device']) ? seat['device'] : {};
  const total = number(device['total']) ?? 0;
  return {
    name: text(device['name']),
    description: text(device['description']),
    total,
    free: number(device['free']) ?? 0,
    limit: number(seat['limit']) ?? total,
    setAside: number(seat['set_aside']) ?? 0
  };
}
