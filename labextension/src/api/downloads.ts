import type { ServerConnection } from '@jupyterlab/services';

import { readProblem } from './model-info';
import { isRecord, number, text } from './read';
import { callJson, notUnderstood, pathOf } from './request';
import type { DownloadState, IDownload } from './types';

type Settings = ServerConnection.ISettings;

const STATES: ReadonlySet<string> = new Set<DownloadState>([
  'waiting',
  'resolving',
  'downloading',
  'paused',
  'verifying',
  'done',
  'failed',
  'cancelled'
]);

/** Ask for a model from a hub: "hf:org/repo", "hf:org/repo:Q4_K_M" or "name:tag". */
export async function startDownload(
  settings: Settings,
  reference: string
): Promise<IDownload> {
  return readDownload(
    await callJson(settings, {
      method: 'POST',
      path: 'downloads',
      body: { model: reference }
    })
  );
}

/** Pause a download, go on with it, or give it up. */
export async function steerDownload(
  settings: Settings,
  id: string,
  act: 'pause' | 'resume' | 'cancel'
): Promise<void> {
  await callJson(settings, {
    method: 'POST',
    path: `${pathOf('downloads', id)}/${act}`
  });
}

/** Forget a download that has ended. */
export async function forgetDownload(
  settings: Settings,
  id: string
): Promise<void> {
  await callJson(settings, { method: 'DELETE', path: pathOf('downloads', id) });
}

/** Read a download's status; throws `ApiError` where it has no id or state. */
export function readDownload(value: unknown): IDownload {
  if (!isRecord(value) || typeof value['id'] !== 'string') {
    throw notUnderstood();
  }
  return {
    id: value['id'],
    reference: text(value['reference']),
    state: readState(value['state']),
    done: number(value['done']) ?? 0,
    total: number(value['total']),
    rate: number(value['rate']),
    secondsLeft: number(value['seconds_left']),
    model: text(value['model'], null),
    error: readProblem(value['error'])
  };
}

function readState(value: unknown): DownloadState {
  if (!isState(value)) {
    throw notUnderstood();
  }
  return value;
}

function isState(value: unknown): value is DownloadState {
  return typeof value === 'string' && STATES.has(value);
}
