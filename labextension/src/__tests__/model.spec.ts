import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { StatusModel } from '../status/model';
import { FakeServer } from './fake-server';
import { aModel } from './models';

describe('StatusModel', () => {
  let server: FakeServer;
  let model: StatusModel;

  const pass = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };

  const requestsWithin = async (ms: number): Promise<number> => {
    const before = server.requests.length;
    await pass(ms);
    return server.requests.length - before;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    server.lists([aModel({ state: 'ready' })]);
    model = new StatusModel(server.settings);
  });

  afterEach(() => {
    model.dispose();
    vi.useRealTimers();
  });

  it('asks nothing before it is started', async () => {
    expect(await requestsWithin(60_000)).toBe(0);
    expect(model.status.state).toBe('connecting');
  });

  it('tells what it learns', async () => {
    const changed = vi.fn();
    model.stateChanged.connect(changed);

    model.start();
    await pass(1);

    expect(model.status).toMatchObject({
      state: 'ready',
      model: { id: 'hello' }
    });
    expect(changed).toHaveBeenCalledOnce();
  });

  it('asks every two seconds while nothing happens', async () => {
    model.start();
    await pass(1);

    expect(await requestsWithin(1_990)).toBe(0);
    expect(await requestsWithin(20)).toBe(1);
  });

  it.each(['loading', 'unloading', 'busy'] as const)(
    'asks more than once a second while a model is %s',
    async state => {
      server.lists([aModel({ state })]);
      model.start();
      await pass(1);

      expect(await requestsWithin(3_100)).toBe(4);
    }
  );

  it('calms down once the model is ready', async () => {
    server.lists([aModel({ state: 'loading' })]);
    model.start();
    await pass(1);

    server.lists([aModel({ state: 'ready' })]);
    await pass(1_000);

    expect(await requestsWithin(1_700)).toBe(0);
  });

  it('says why it has no answer', async () => {
    server.sends(404, '');

    model.start();
    await pass(1);

    expect(model.status).toMatchObject({
      state: 'offline',
      failure: { kind: 'not-installed' }
    });
  });

  it('asks ever less often while the server fails, but every minute', async () => {
    server.disappears();
    model.start();
    await pass(1);

    expect(await requestsWithin(9_900)).toBe(0);
    expect(await requestsWithin(200)).toBe(1);
    expect(await requestsWithin(19_800)).toBe(0);
    expect(await requestsWithin(200)).toBe(1);
    await pass(60_000);
    expect(await requestsWithin(600_000)).toBe(10);
  });

  it('recovers when the server comes back', async () => {
    server.disappears();
    model.start();
    await pass(1);

    server.lists([aModel({ state: 'ready' })]);
    await pass(60_000);

    expect(model.status.state).toBe('ready');
    expect(await requestsWithin(2_000)).toBe(1);
  });

  it('forgives earlier failures once the server has answered', async () => {
    server.disappears();
    model.start();
    await pass(120_000);
    server.lists([aModel({ state: 'ready' })]);
    await pass(60_000);
    expect(model.status.state).toBe('ready');

    server.disappears();
    await pass(5_000);

    expect(model.status.state).toBe('offline');
    expect(await requestsWithin(10_000)).toBe(1);
  });

  it('goes slow again when the server fails during a load', async () => {
    server.lists([aModel({ state: 'loading' })]);
    model.start();
    await pass(1);

    server.disappears();
    await pass(1_000);

    expect(model.status.state).toBe('offline');
    expect(await requestsWithin(3_000)).toBe(0);
  });

  it('asks nothing while it is stopped', async () => {
    model.start();
    await pass(1);

    model.stop();

    expect(await requestsWithin(60_000)).toBe(0);
  });

  it('asks at once when it is started again', async () => {
    model.start();
    await pass(1);
    model.stop();
    await pass(1);

    model.start();

    expect(await requestsWithin(1)).toBe(1);
  });

  it.each(['stop', 'dispose'] as const)(
    'drops the request under way on %s, and does not take it for a failure',
    async method => {
      server.hangs();
      model.start();
      await pass(1);

      model[method]();
      await pass(60_000);

      expect(server.requests).toHaveLength(1);
      expect(server.requests[0]?.signal.aborted).toBe(true);
      expect(model.status.state).toBe('connecting');
    }
  );

  it('asks nothing once it is disposed', async () => {
    model.start();
    await pass(1);

    model.dispose();
    model.dispose();
    model.start();

    expect(model.isDisposed).toBe(true);
    expect(await requestsWithin(60_000)).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks nothing while the page is hidden', async () => {
    model.start();
    await pass(1);
    setVisibility('hidden');

    await pass(5_000);

    expect(await requestsWithin(60_000)).toBe(0);
    setVisibility('visible');
    expect(await requestsWithin(2_000)).toBe(1);
  });
});

function setVisibility(state: DocumentVisibilityState): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}
