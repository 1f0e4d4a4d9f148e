import type { ServerConnection } from '@jupyterlab/services';

import { readMessage } from './message';
import { isRecord, list, number, text, texts } from './read';
import { callBlob, callJson, notUnderstood, pathOf } from './request';
import type { IConversation, IOpenConversation, ISampling } from './types';

type Settings = ServerConnection.ISettings;

/** Most conversations that are listed at once. */
export const LIST_LIMIT = 100;

/** What can be changed of a conversation. */
export interface IConversationChange {
  readonly title?: string;
  readonly model?: string | null;
  readonly system?: string;
  readonly options?: ISampling;
  /** The message that the current path ends with. */
  readonly head?: string;
}

/**
 * List conversations, newest first; those that hold `search`, if it is not empty.
 *
 * Begins after those that changed at `before` or later, if it is not null.
 */
export async function listConversations(
  settings: Settings,
  search: string,
  before: string | null,
  signal: AbortSignal
): Promise<IConversation[]> {
  const query: Record<string, string> = { limit: LIST_LIMIT.toString() };
  if (search !== '') {
    query['search'] = search;
  }
  if (before !== null) {
    query['before'] = before;
  }
  const body = await callJson(settings, {
    path: 'conversations',
    query,
    signal
  });
  if (!isRecord(body)) {
    throw notUnderstood();
  }
  return list(body['conversations'], readConversation);
}

/** Begin a conversation. */
export async function createConversation(
  settings: Settings,
  change: IConversationChange
): Promise<IOpenConversation> {
  return readOpen(
    await callJson(settings, {
      method: 'POST',
      path: 'conversations',
      body: change
    })
  );
}

/** Get a conversation with the messages on its current path. */
export async function getConversation(
  settings: Settings,
  id: string,
  signal?: AbortSignal
): Promise<IOpenConversation> {
  const path = pathOf('conversations', id);
  return readOpen(
    await callJson(settings, signal === undefined ? { path } : { path, signal })
  );
}

/** Change a conversation. */
export async function changeConversation(
  settings: Settings,
  id: string,
  change: IConversationChange
): Promise<IConversation> {
  return readConversation(
    await callJson(settings, {
      method: 'PATCH',
      path: pathOf('conversations', id),
      body: change
    })
  );
}

/** Delete a conversation. */
export async function deleteConversation(
  settings: Settings,
  id: string
): Promise<void> {
  await callJson(settings, {
    method: 'DELETE',
    path: pathOf('conversations', id)
  });
}

/** Delete a message and all that follows it. */
export async function deleteMessage(
  settings: Settings,
  id: string,
  message: string
): Promise<void> {
  await callJson(settings, {
    method: 'DELETE',
    path: pathOf('conversations', id, 'messages', message)
  });
}

/** The forms that a conversation can be saved in. */
export type ExportFormat = 'markdown' | 'notebook';

/** Get a conversation as a file. */
export async function exportConversation(
  settings: Settings,
  id: string,
  format: ExportFormat
): Promise<Blob> {
  return callBlob(settings, {
    path: `${pathOf('conversations', id)}/export`,
    query: { format }
  });
}

function readConversation(value: unknown): IConversation {
  if (!isRecord(value) || typeof value['id'] !== 'string') {
    throw notUnderstood();
  }
  return {
    id: value['id'],
    title: text(value['title']),
    model: text(value['model'], null),
    system: text(value['system']),
    options: isRecord(value['options']) ? value['options'] : {},
    updated: text(value['updated']),
    messageCount: number(value['message_count']) ?? 0
  };
}

function readOpen(value: unknown): IOpenConversation {
  const conversation = readConversation(value);
  const { messages, branches } = isRecord(value) ? value : {};
  const siblings = Object.entries(isRecord(branches) ? branches : {}).map(
    ([id, ids]): [string, string[]] => [id, texts(ids)]
  );
  return {
    ...conversation,
    messages: list(messages, readMessage),
    branches: Object.fromEntries(siblings)
  };
}
