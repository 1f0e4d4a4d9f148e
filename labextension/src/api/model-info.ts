import { isRecord, list, number, text, texts } from './read';
import { notUnderstood } from './request';
import type {
  ILoadProgress,
  IMemory,
  IModelInfo,
  IModelList,
  IProblem,
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

/** Read a list of models; throws `ApiError` where it is none. */
export function readModelList(body: unknown): IModelList {
  if (!isRecord(body) || !Array.isArray(body['models'])) {
    throw notUnderstood();
  }
  return {
    default: text(body['default'], null),
    models: body['models'].map(readModel),
    remote: list(body['remote'], readRemote)
  };
}

/** Read a model's status; throws `ApiError` where it has no id or state. */
export function readModel(value: unknown): IModelInfo {
  if (!isRecord(value) || typeof value['id'] !== 'string') {
    throw notUnderstood();
  }
  return {
    id: value['id'],
    state: readState(value['state']),
    progress: readProgress(value['progress']),
    error: readProblem(value['error']),
    slots: readSlots(value['slots']),
    size: number(value['size']) ?? 0,
    source: text(value['source']),
    capabilities: texts(value['capabilities']),
    parameters: number(value['parameters']),
    quantization: text(value['quantization'], null),
    trainedContext: number(value['trained_context']),
    contextLength: number(value['context_length']),
    memory: readMemory(value['memory']),
    pinned: value['pinned'] === true,
    provider: null
  };
}

/** Read a model of another server: it is as good as loaded. */
export function readRemote(value: unknown): IModelInfo {
  const body = isRecord(value) ? value : {};
  return {
    ...readModel({ ...body, state: 'ready' }),
    provider: text(body['provider'])
  };
}

/** Read a memory estimate: all uses of a device become one number. */
export function readMemory(value: unknown): IMemory | null {
  if (!isRecord(value) || !isRecord(value['devices'])) {
    return null;
  }
  const devices = Object.entries(value['devices']).map(
    ([name, use]): [string, number] => [name, bytesOf(use)]
  );
  return {
    devices: Object.fromEntries(devices),
    contextLength: number(value['context_length']) ?? 0,
    gpuLayers: number(value['gpu_layers']) ?? 0
  };
}

/** Read why something failed. */
export function readProblem(value: unknown): IProblem | null {
  if (!isRecord(value)) {
    return null;
  }
  const { code, message } = value;
  return typeof code === 'string' && typeof message === 'string'
    ? { code, message }
    : null;
}

/** Read how far a load is. */
export function readProgress(value: unknown): ILoadProgress | null {
  if (!isRecord(value)) {
    return null;
  }
  const { stage, fraction } = value;
  return typeof stage === 'string' && typeof fraction === 'number'
    ? { stage, fraction }
    : null;
}

function bytesOf(use: unknown): number {
  return isRecord(use)
    ? Object.values(use).reduce<number>(
        (sum, bytes) => sum + (number(bytes) ?? 0),
        0
      )
    : 0;
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
