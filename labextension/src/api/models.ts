import type { ServerConnection } from '@jupyterlab/services';

import { readMemory, readModel } from './model-info';
import { isRecord, list, text, texts } from './read';
import { callJson, notUnderstood, pathOf } from './request';
import type { ICheck, ILoadOptions, IModelInfo, IPreflight } from './types';

type Settings = ServerConnection.ISettings;

/** Milliseconds that an unload may take: a big model's process ends slowly. */
const UNLOAD_TIMEOUT_MS = 60_000;

/** Begin to load a model; the load goes on whatever becomes of this page. */
export async function loadModel(
  settings: Settings,
  id: string,
  options: ILoadOptions = {}
): Promise<IModelInfo> {
  return readModel(
    await callJson(settings, {
      method: 'POST',
      path: `${pathOf('models', id)}/load`,
      body: { options }
    })
  );
}

/** Unload a model, also one that loads; answers when its memory is free. */
export async function unloadModel(
  settings: Settings,
  id: string
): Promise<void> {
  await callJson(settings, {
    method: 'POST',
    path: `${pathOf('models', id)}/unload`,
    body: { force: true },
    timeout: UNLOAD_TIMEOUT_MS
  });
}

/** Let a model stay loaded whoever needs room, or no longer. */
export async function pinModel(
  settings: Settings,
  id: string,
  pinned: boolean
): Promise<void> {
  await callJson(settings, {
    method: 'POST',
    path: `${pathOf('models', id)}/pin`,
    body: { pinned }
  });
}

/** Delete a model's files. */
export async function deleteModel(
  settings: Settings,
  id: string
): Promise<void> {
  await callJson(settings, { method: 'DELETE', path: pathOf('models', id) });
}

/** Ask what a load would need and do; nothing is loaded. */
export async function preflight(
  settings: Settings,
  id: string,
  options: ILoadOptions,
  signal: AbortSignal
): Promise<IPreflight> {
  const body = await callJson(settings, {
    method: 'POST',
    path: 'preflight',
    body: { model: id, options },
    signal,
    timeout: UNLOAD_TIMEOUT_MS
  });
  if (!isRecord(body)) {
    throw notUnderstood();
  }
  return {
    ok: body['ok'] === true,
    checks: list(body['checks'], readCheck),
    memory: readMemory(body['memory']),
    evicts: texts(body['evicts'])
  };
}

function readCheck(value: unknown): ICheck {
  const check = isRecord(value) ? value : {};
  return {
    name: text(check['name']),
    ok: check['ok'] === true,
    message: text(check['message'])
  };
}
