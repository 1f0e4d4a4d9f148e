import type { ServerConnection } from '@jupyterlab/services';

import { readParts } from './chunk';
import { isRecord } from './read';
import { ApiError, callJson, notUnderstood, openStream } from './request';
import { readEvents } from './sse';
import type { ReplyPart } from './types';

type Settings = ServerConnection.ISettings;

/** A turn that is not kept on the server. */
export interface ITurn {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/**
 * Follow the answer to turns that belong to no conversation.
 *
 * To abort the signal ends the answer in the engine. Throws `ApiError`, also for a
 * stream that ends before the answer does.
 */
export async function* complete(
  settings: Settings,
  model: string,
  messages: readonly ITurn[],
  signal: AbortSignal
): AsyncGenerator<ReplyPart> {
  const response = await openStream(settings, {
    method: 'POST',
    path: 'v1/chat/completions',
    body: {
      model,
      messages,
      stream: true,
      stream_options: { progress: true }
    },
    headers: { Accept: 'text/event-stream' },
    signal
  });
  for await (const event of readEvents(response)) {
    if (event.data === '[DONE]') {
      return;
    }
    yield* readParts(event);
  }
  throw new ApiError('unreachable', null, '');
}

/** What to fill in between two texts. */
export interface IGap {
  readonly before: string;
  readonly after: string;
  readonly maxTokens: number;
}

/**
 * Return what a fill-in-the-middle model puts between two texts.
 *
 * Also where nothing follows; there, `v1/completions` would go on with the text as
 * if it were prose. A model that is not loaded is not loaded for it, but refuses.
 * To abort the signal ends it in the engine. Throws `ApiError`.
 */
export async function fillIn(
  settings: Settings,
  model: string,
  { before, after, maxTokens }: IGap,
  signal: AbortSignal
): Promise<string> {
  const body = await callJson(settings, {
    method: 'POST',
    path: 'infill',
    query: { autoload: 'false' },
    body: {
      model,
      input_prefix: before,
      input_suffix: after,
      n_predict: maxTokens,
      temperature: 0
    },
    signal
  });
  if (!isRecord(body) || typeof body['content'] !== 'string') {
    throw notUnderstood();
  }
  return body['content'];
}
