import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { isRecord } from './read';
import type { FailureKind, IFailure } from './types';

/** How long the server may take to answer, body included. */
export const REQUEST_TIMEOUT_MS = 10_000;

/** A request to the server extension that brought no usable answer. */
export class ApiError extends Error implements IFailure {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    message: string,
    /** The server's name for what is wrong; empty where it gives none. */
    readonly code = ''
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** A request below `{baseUrl}llm/`. */
export interface ICall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds that the answer may take; none is waited for without end. */
  readonly timeout?: number;
  /** Lets go of the answer when aborted. */
  readonly signal?: AbortSignal;
}

/** A path of names, each of which may hold slashes and spaces. */
export function pathOf(...names: readonly string[]): string {
  return names.map(encodeURIComponent).join('/').replaceAll('%2F', '/');
}

/**
 * Ask, and return the JSON that is answered; null where the answer is empty.
 *
 * Throws `ApiError`, or the signal's reason once the signal is aborted.
 */
export async function callJson(
  settings: ServerConnection.ISettings,
  call: ICall
): Promise<unknown> {
  return attempt(call, REQUEST_TIMEOUT_MS, async signal => {
    const response = await send(settings, call, signal);
    const text = await response.text();
    refuse(response, text);
    return response.status === 204 ? null : parse(response, text);
  });
}

/**
 * Ask for a file, however long it takes.
 *
 * Throws as `callJson` does.
 */
export async function callBlob(
  settings: ServerConnection.ISettings,
  call: ICall
): Promise<Blob> {
  return attempt(call, Infinity, async signal =>
    (await accept(settings, call, signal)).blob()
  );
}

/**
 * Ask, and return what the answer begins with; its body is read later.
 *
 * Throws as `callJson` does.
 */
export async function openStream(
  settings: ServerConnection.ISettings,
  call: ICall
): Promise<Response> {
  return attempt(call, Infinity, signal => accept(settings, call, signal));
}

/** An answer that makes no sense to this page. */
export function notUnderstood(): ApiError {
  return new ApiError('not-understood', 200, '');
}

/** The server's own words for an error, from its JSON; empty without. */
export function messageOf(body: unknown): string {
  return errorText(body, 'message');
}

/** Parse JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function attempt<T>(
  { signal, timeout }: ICall,
  patience: number,
  act: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const deadline = new AbortController();
  const wait = timeout ?? patience;
  const timer =
    wait === Infinity
      ? undefined
      : setTimeout(() => {
          deadline.abort();
        }, wait);
  const signals = signal === undefined ? [] : [signal];
  try {
    return await act(AbortSignal.any([...signals, deadline.signal]));
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ApiError) {
      throw error;
    }
    throw deadline.signal.aborted
      ? new ApiError('timeout', null, '')
      : new ApiError('unreachable', null, '');
  } finally {
    clearTimeout(timer);
  }
}

function send(
  settings: ServerConnection.ISettings,
  { method = 'GET', path, query = {}, body, headers = {} }: ICall,
  signal: AbortSignal
): Promise<Response> {
  const url =
    URLExt.join(settings.baseUrl, 'llm', path) +
    URLExt.objectToQueryString(query);
  const init: RequestInit = { method, headers: { ...headers }, signal };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
  }
  return ServerConnection.makeRequest(url, init, settings);
}

async function accept(
  settings: ServerConnection.ISettings,
  call: ICall,
  signal: AbortSignal
): Promise<Response> {
  const response = await send(settings, call, signal);
  if (!response.ok) {
    refuse(response, await response.text());
  }
  return response;
}

function refuse(response: Response, text: string): void {
  if (!response.ok) {
    const { status } = response;
    const body = parseJson(text);
    const message = messageOf(body);
    const code = errorText(body, 'code');
    throw new ApiError(kindOf(status, message), status, message, code);
  }
}

function errorText(body: unknown, name: 'message' | 'code'): string {
  if (!isRecord(body) || !isRecord(body['error'])) {
    return '';
  }
  const value = body['error'][name];
  return typeof value === 'string' ? value : '';
}

function parse(response: Response, text: string): unknown {
  const body = parseJson(text);
  if (body === undefined) {
    throw new ApiError('not-understood', response.status, '');
  }
  return body;
}

/** Without the extension, Jupyter answers 404 with a page instead of its words. */
function kindOf(status: number, message: string): FailureKind {
  switch (status) {
    case 401:
    case 403:
      return 'forbidden';
    case 404:
      return message === '' ? 'not-installed' : 'missing';
    default:
      return 'refused';
  }
}
