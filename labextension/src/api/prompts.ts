import type { ServerConnection } from '@jupyterlab/services';

import { isRecord, list, text, texts } from './read';
import { callJson, notUnderstood } from './request';
import type { IPrompt } from './types';

/** List the prompts of the server's library. */
export async function listPrompts(
  settings: ServerConnection.ISettings,
  signal: AbortSignal
): Promise<IPrompt[]> {
  const body = await callJson(settings, { path: 'prompts', signal });
  if (!isRecord(body)) {
    throw notUnderstood();
  }
  return list(body['prompts'], readPrompt);
}

function readPrompt(value: unknown): IPrompt {
  const prompt = isRecord(value) ? value : {};
  return {
    id: text(prompt['id']),
    name: text(prompt['name']),
    template: text(prompt['template']),
    variables: texts(prompt['variables'])
  };
}
