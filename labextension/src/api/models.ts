import type { ServerConnection } from '@jupyterlab/services';

import { ApiError, getJson, isRecord } from './request';
import type {
  ILoadProgress,
  IModelError,
  IModelInfo,
  IModelList,
  ISlots,
  ModelState
} from './types';

const STATES: ReadonlySet<string> = new Set<ModelState>([
  'unloaded',
  'loading',
  'ready',
  'busy',
  'unloading',
  'failed'
]);

/**
 * List the models that the server knows, loaded or not.
 *
 * Does not count as activity: a page left open must not keep an idle server
 * from being culled. Throws as `getJson` does.
 */
export async function listModels(
  settings: ServerConnection.ISettings,
  signal: AbortSignal
): Promise<IModelList> {
  const query = { no_track_activity: '1' };
  const body = await getJson(settings, 'models', query, signal);
  if (!isRecord(body) || !Array.isArray(body['models'])) {
    throw notUnderstood();
  }
  const id = body['default'];
  return {
    default: typeof id === 'string' ? id : null,
    models: body['models'].map(readModel)
  };
}

function readModel(value: unknown): IModelInfo {
  if (!isRecord(value) || typeof value['id'] !== 'string') {
    throw notUnderstood();
  }
  return {
    id: value['id'],
    state: readState(value['state']),
    progress: readProgress(value['progress']),
    error: readError(value['error']),
    slots: readSlots(value['slots'])
  };
}

function readState(value: unknown): ModelState {
  if (!isState(value)) {
    throw notUnderstood();
  }
  return value;
}

function isState(value: unknown): value is ModelState {
  return typeof value === 'string' && STATES.has(value);
}

function readProgress(value: unknown): ILoadProgress | null {
  if (!isRecord(value)) {
    return null;
  }
  const { stage, fraction } = value;
  return typeof stage === 'string' && typeof fraction === 'number'
    ? { stage, fraction }
    : null;
}

function readError(value: unknown): IModelError | null {
  if (!isRecord(value)) {
    return null;
  }
  const { code, message } = value;
  return typeof code === 'string' && typeof message === 'string'
    ? { code, message }
    : null;
}

function readSlots(value: unknown): ISlots | null {
  if (!isRecord(value)) {
    return null;
  }
  const { total, busy, waiting } = value;
  return typeof total === 'number' &&
    typeof busy === 'number' &&
    typeof waiting === 'number'
    ? { total, busy, waiting }
    : null;
}

function notUnderstood(): ApiError {
  return new ApiError('not-understood', 200, '');
}
