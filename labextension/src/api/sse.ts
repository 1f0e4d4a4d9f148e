import { ApiError } from './request';

/** How long a stream may be silent; the server sends a comment every 15 s. */
export const SILENCE_MS = 45_000;

/** One server-sent event. */
export interface IServerEvent {
  /** Its name; "message" where it has none. */
  readonly name: string;
  readonly data: string;
  /** Its id; empty where it has none. */
  readonly id: string;
}

/**
 * Read the server-sent events of an answer, as the HTML standard has them.
 *
 * Ends with the stream. Throws `ApiError` where the connection is lost or silent
 * for too long; lets go of the answer when the caller reads no further.
 */
export async function* readEvents(
  response: Response
): AsyncGenerator<IServerEvent> {
  if (response.body === null) {
    return;
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await withinReason(reader.read());
      if (done) {
        return;
      }
      const blocks = (rest + decoder.decode(value, { stream: true })).split(
        /\r?\n\r?\n/
      );
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event !== null) {
          yield event;
        }
      }
    }
  } finally {
    // Fails where the connection is lost already.
    reader.cancel().catch(() => undefined);
  }
}

async function withinReason<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ApiError('timeout', null, ''));
    }, SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } catch (error) {
    throw error instanceof ApiError || isAbort(error)
      ? error
      : new ApiError('unreachable', null, '');
  } finally {
    clearTimeout(timer);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The event that a block of lines says; null for comments alone. */
function parseEvent(block: string): IServerEvent | null {
  let name = 'message';
  let id = '';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      data.push(value);
    } else if (field === 'event') {
      name = value;
    } else if (field === 'id') {
      id = value;
    }
  }
  return data.length === 0 ? null : { name, data: data.join('\n'), id };
}
