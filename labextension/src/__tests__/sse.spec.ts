import { afterEach, describe, expect, it, vi } from 'vitest';

import { type IServerEvent, readEvents, SILENCE_MS } from '../api/sse';
import { FakeStream } from './fake-server';

async function collect(stream: FakeStream): Promise<IServerEvent[]> {
  const events: IServerEvent[] = [];
  for await (const event of readEvents(stream.response)) {
    events.push(event);
  }
  return events;
}

describe('readEvents', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('reads names, ids and data over several lines', async () => {
    const stream = new FakeStream();
    stream.writes('event: model\nid: 7\ndata: a\ndata: b\n\ndata:c\n\n');
    stream.ends();

    expect(await collect(stream)).toEqual([
      { name: 'model', id: '7', data: 'a\nb' },
      { name: 'message', id: '', data: 'c' }
    ]);
  });

  it('joins what the network has cut, also within a letter', async () => {
    const stream = new FakeStream();
    const bytes = new TextEncoder().encode('data: größe\r\n\r\n');
    const source = new ReadableStream<Uint8Array>({
      start: controller => {
        for (const byte of bytes) {
          controller.enqueue(Uint8Array.of(byte));
        }
        controller.close();
      }
    });
    Object.defineProperty(stream, 'response', { value: new Response(source) });

    expect(await collect(stream)).toEqual([
      { name: 'message', id: '', data: 'größe' }
    ]);
  });

  it('passes over comments', async () => {
    const stream = new FakeStream();
    stream.writes(': ping\n\n: loading 42%\n\ndata: x\n\n');
    stream.ends();

    expect(await collect(stream)).toHaveLength(1);
  });

  it('says that the connection was lost', async () => {
    const stream = new FakeStream();
    const reading = collect(stream);
    stream.breaks();

    await expect(reading).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('does not wait for ever on a connection that died silently', async () => {
    vi.useFakeTimers();
    const stream = new FakeStream();
    const failed = expect(collect(stream)).rejects.toMatchObject({
      kind: 'timeout'
    });

    await vi.advanceTimersByTimeAsync(SILENCE_MS);

    await failed;
    expect(stream.isCancelled).toBe(true);
  });

  it('lets go of the answer when the reader does', async () => {
    const stream = new FakeStream();
    stream.writes('data: x\n\n');

    for await (const event of readEvents(stream.response)) {
      expect(event.data).toBe('x');
      break;
    }

    expect(stream.isCancelled).toBe(true);
  });
});
