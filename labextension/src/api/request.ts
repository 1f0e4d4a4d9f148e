import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { FailureKind, IFailure } from './types';

/** How long the server may take to answer, body included. */
export const REQUEST_TIMEOUT_MS = 10_000;

/** A request to the server extension that brought no usable answer. */
export class ApiError extends Error implements IFailure {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    message: string
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/**
 * Get JSON from a path below `{baseUrl}llm/`.
 *
 * Throws `ApiError`, or the signal's reason once the signal is aborted.
 */
export async function getJson(
  settings: ServerConnection.ISettings,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<unknown> {
  const url =
    URLExt.join(settings.baseUrl, 'llm', path) +
    URLExt.objectToQueryString(query);
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    deadline.abort();
  }, REQUEST_TIMEOUT_MS);
  try {
    const response = await ServerConnection.makeRequest(
      url,
      { method: 'GET', signal: AbortSignal.any([signal, deadline.signal]) },
      settings
    );
    return parse(response, await response.text());
  } catch (error) {
    signal.throwIfAborted();
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

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(response: Response, text: string): unknown {
  const body = parseJson(text);
  if (!response.ok) {
    const { status } = response;
    throw new ApiError(kindOf(status), status, messageOf(body));
  }
  if (body === undefined) {
    throw new ApiError('not-understood', response.status, '');
  }
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function kindOf(status: number): FailureKind {
  switch (status) {
    case 401:
    case 403:
      return 'forbidden';
    case 404:
      return 'not-installed';
    default:
      return 'refused';
  }
}

function messageOf(body: unknown): string {
  if (!isRecord(body) || !isRecord(body['error'])) {
    return '';
  }
  const { message } = body['error'];
  return typeof message === 'string' ? message : '';
}
