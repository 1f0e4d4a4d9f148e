import type { ServerConnection } from '@jupyterlab/services';

import { isRecord, number } from './read';
import { callJson, notUnderstood } from './request';

/**
 * Return how many tokens a text is for a model, which need not be loaded for it.
 *
 * Throws `ApiError`.
 */
export async function countTokens(
  settings: ServerConnection.ISettings,
  model: string,
  text: string,
  signal: AbortSignal
): Promise<number> {
  const body = await callJson(settings, {
    method: 'POST',
    path: 'tokenize',
    body: { model, content: text, count: true },
    signal
  });
  const count = isRecord(body) ? number(body['count']) : null;
  if (count === null) {
    throw notUnderstood();
  }
  return count;
}
