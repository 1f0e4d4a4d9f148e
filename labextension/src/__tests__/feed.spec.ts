import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FeedModel } from '../server/feed';
import { FakeServer, type FakeStream } from './fake-server';

describe('FeedModel', () => {
  let server: FakeServer;
  let stream: FakeStream;
  let feed: FeedModel;

  const pass = async (ms = 1): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    stream = server.lists([{ id: 'hello', state: 'ready' }], 'hello');
    feed = new FeedModel(server.settings);
  });

  afterEach(() => {
    feed.dispose();
    vi.useRealTimers();
  });

  it('asks nothing while nobody looks', async () => {
    await pass(60_000);

    expect(server.requests).toHaveLength(0);
  });

  it('follows one stream for all who look, which counts as no activity', async () => {
    feed.hold();
    feed.hold();
    await pass();

    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.url).toContain('no_track_activity=1');
    expect(feed.connection.state).toBe('live');
    expect(feed.list.default).toBe('hello');
  });

  it('takes in each change', async () => {
    feed.hold();
    await pass();
    const download = { id: 'd', reference: 'hf:a/b', state: 'downloading' };

    stream.sends({ model: { id: 'hello', state: 'busy' } }, 'model');
    stream.sends({ model: { id: 'new', state: 'unloaded' } }, 'model');
    stream.sends({ download }, 'download');
    stream.sends({ worker: {} }, 'worker');
    await pass();

    expect(feed.list.models.map(({ id, state }) => [id, state])).toEqual([
      ['hello', 'busy'],
      ['new', 'unloaded']
    ]);
    expect(feed.downloads).toMatchObject([{ id: 'd', state: 'downloading' }]);

    stream.sends({ id: 'hello' }, 'model_removed');
    stream.sends({ id: 'd' }, 'download_removed');
    await pass();

    expect(feed.list.models).toMatchObject([{ id: 'new' }]);
    expect(feed.downloads).toEqual([]);
  });

  it('takes in what other servers have', async () => {
    feed.hold();
    await pass();
    const has = (name: string, ...ids: string[]): void => {
      const models = ids.map(id => ({ id, provider: name }));
      stream.sends({ provider: { name }, models }, 'provider');
    };

    has('lab', 'lab/big', 'lab/small');
    has('cloud', 'cloud/huge');
    has('lab', 'lab/new');
    await pass();

    expect(feed.list.remote.map(({ id }) => id)).toEqual([
      'cloud/huge',
      'lab/new'
    ]);
    expect(feed.list.models).toMatchObject([{ id: 'hello' }]);
  });

  it('lets go of the stream when the last one looks away', async () => {
    const first = feed.hold();
    const second = feed.hold();
    await pass();

    first.dispose();
    expect(server.requests[0]?.signal.aborted).toBe(false);
    second.dispose();

    expect(server.requests[0]?.signal.aborted).toBe(true);
    await pass(60_000);
    expect(server.requests).toHaveLength(1);
  });

  it('says that the server is away, and comes back with it', async () => {
    feed.hold();
    await pass();

    server.disappears();
    stream.breaks();
    await pass();
    expect(feed.connection).toMatchObject({
      state: 'offline',
      failure: { kind: 'unreachable' }
    });

    server.lists([{ id: 'other', state: 'ready' }]);
    await pass(3_000);

    expect(feed.connection.state).toBe('live');
    expect(feed.list.models).toMatchObject([{ id: 'other' }]);
  });

  it('asks ever less often, but every half minute', async () => {
    server.disappears();
    feed.hold();
    await pass(120_000);
    const before = server.requests.length;

    await pass(300_000);

    expect(server.requests.length - before).toBe(10);
  });

  it('asks at once when a person wants it', async () => {
    server.disappears();
    feed.hold();
    await pass(120_000);

    server.lists([]);
    feed.retry();
    await pass();

    expect(feed.connection.state).toBe('live');
  });

  it('gives the connection back while the page is hidden', async () => {
    feed.hold();
    await pass();

    setVisibility('hidden');
    expect(server.requests[0]?.signal.aborted).toBe(true);
    await pass(60_000);
    expect(server.requests).toHaveLength(1);

    server.lists([]);
    setVisibility('visible');
    await pass();

    expect(server.requests).toHaveLength(2);
  });

  it('tells the models to who asks once, and asks for them then only', async () => {
    const page = new AbortController();

    const asked = feed.once(page.signal);
    await pass();

    expect((await asked).default).toBe('hello');
    expect(server.requests[0]?.signal.aborted).toBe(true);
  });

  it('tells who asks once that the server is away', async () => {
    server.disappears();
    const failed = expect(
      feed.once(new AbortController().signal)
    ).rejects.toMatchObject({ kind: 'unreachable' });

    await pass();

    await failed;
  });

  it('does nothing once it is disposed', async () => {
    feed.hold();
    await pass();

    feed.dispose();
    feed.dispose();
    feed.hold();
    await pass(60_000);

    expect(feed.isDisposed).toBe(true);
    expect(server.requests).toHaveLength(1);
  });
});

function setVisibility(state: DocumentVisibilityState): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}
