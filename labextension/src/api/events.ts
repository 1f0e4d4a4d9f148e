import type { ServerConnection } from '@jupyterlab/services';

import { readDownload } from './downloads';
import { readModel, readModelList, readRemote } from './model-info';
import { isRecord, list, text } from './read';
import { openStream, parseJson } from './request';
import { readEvents } from './sse';
import type { Change } from './types';

/**
 * Follow what changes in the server: first everything, then each change.
 *
 * Does not count as activity. Ends when the server does; throws as `readEvents`.
 */
export async function* followChanges(
  settings: ServerConnection.ISettings,
  signal: AbortSignal
): AsyncGenerator<Change> {
  const response = await openStream(settings, {
    path: 'events',
    query: { no_track_activity: '1' },
    headers: { Accept: 'text/event-stream' },
    signal
  });
  for await (const { name, data } of readEvents(response)) {
    const change = readChange(name, parseJson(data));
    if (change !== null) {
      yield change;
    }
  }
}

/** What an event says; null for kinds that this page does not follow. */
function readChange(name: string, value: unknown): Change | null {
  const body = isRecord(value) ? value : {};
  switch (name) {
    case 'snapshot':
      return {
        kind: 'snapshot',
        list: readModelList(body),
        downloads: list(body['downloads'], readDownload)
      };
    case 'model':
      return { kind: 'model', model: readModel(body['model']) };
    case 'model_removed':
      return { kind: 'model-removed', id: text(body['id']) };
    case 'provider':
      return {
        kind: 'provider',
        name: text(
          isRecord(body['provider']) ? body['provider']['name'] : null
        ),
        models: list(body['models'], readRemote)
      };
    case 'download':
      return { kind: 'download', download: readDownload(body['download']) };
    case 'download_removed':
      return { kind: 'download-removed', id: text(body['id']) };
    default:
      return null;
  }
}
