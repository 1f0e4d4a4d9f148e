import type { ServerConnection } from '@jupyterlab/services';

import { readParts } from './chunk';
import { callJson, openStream, pathOf } from './request';
import { readEvents } from './sse';
import type { IQuestion, ReplyPart } from './types';

type Settings = ServerConnection.ISettings;

const STREAM = { Accept: 'text/event-stream' };

/**
 * Ask in a conversation, and follow the answer.
 *
 * The answer goes on when nobody follows; `stopReply` is what ends it. Throws
 * `ApiError` also for what goes wrong while it is written.
 */
export async function* ask(
  settings: Settings,
  id: string,
  question: IQuestion,
  signal: AbortSignal
): AsyncGenerator<ReplyPart> {
  const response = await openStream(settings, {
    method: 'POST',
    path: `${pathOf('conversations', id)}/reply`,
    body: { ...question, timings: true },
    headers: STREAM,
    signal
  });
  yield* parts(response);
}

/** Follow the answer that is being written, from its beginning; none ends at once. */
export async function* attach(
  settings: Settings,
  id: string,
  signal: AbortSignal
): AsyncGenerator<ReplyPart> {
  const response = await openStream(settings, {
    path: `${pathOf('conversations', id)}/reply`,
    headers: STREAM,
    signal
  });
  if (response.status !== 204) {
    yield* parts(response);
  }
}

/** End the answer that is being written; what is there of it stays. */
export async function stopReply(settings: Settings, id: string): Promise<void> {
  await callJson(settings, {
    method: 'POST',
    path: `${pathOf('conversations', id)}/stop`
  });
}

async function* parts(response: Response): AsyncGenerator<ReplyPart> {
  for await (const event of readEvents(response)) {
    if (event.data === '[DONE]') {
      return;
    }
    yield* readParts(event);
  }
}
