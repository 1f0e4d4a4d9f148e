import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { StatusModel } from '../status/model';
import type { ILLMServer } from '../tokens';
import { FakeServer, type FakeStream } from './fake-server';

describe('StatusModel', () => {
  let server: FakeServer;
  let stream: FakeStream;
  let llm: ILLMServer;
  let model: StatusModel;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    stream = server.lists([{ id: 'hello', state: 'ready' }]);
    llm = server.llm();
    model = new StatusModel(llm.feed, llm.pace);
  });

  afterEach(() => {
    model.dispose();
    llm.feed.dispose();
    vi.useRealTimers();
  });

  it('asks nothing before it is started', async () => {
    await vi.advanceTimersByTimeAsync(60_000);

    expect(server.requests).toHaveLength(0);
    expect(model.status.state).toBe('connecting');
  });

  it('tells what it learns', async () => {
    const changed = vi.fn();
    model.stateChanged.connect(changed);

    model.start();
    model.start();
    await vi.advanceTimersByTimeAsync(1);

    expect(model.status).toMatchObject({
      state: 'ready',
      model: { id: 'hello' },
      tokensPerSecond: null
    });
    expect(changed).toHaveBeenCalledOnce();
  });

  it('tells how fast the model is once an answer was seen', async () => {
    model.start();
    await vi.advanceTimersByTimeAsync(1);

    llm.pace.note('other', 5);
    expect(model.status).toMatchObject({ tokensPerSecond: null });
    llm.pace.note('hello', 12);

    expect(model.status).toMatchObject({ tokensPerSecond: 12 });
  });

  it('says why it has no answer', async () => {
    server.disappears();

    model.start();
    await vi.advanceTimersByTimeAsync(1);

    expect(model.status).toMatchObject({
      state: 'offline',
      failure: { kind: 'unreachable' }
    });
  });

  it.each(['stop', 'dispose'] as const)(
    'lets go of the server on %s',
    async method => {
      model.start();
      await vi.advanceTimersByTimeAsync(1);

      model[method]();

      expect(server.requests[0]?.signal.aborted).toBe(true);
      stream.sends({ model: { id: 'hello', state: 'busy' } }, 'model');
      await vi.advanceTimersByTimeAsync(60_000);
      expect(server.requests).toHaveLength(1);
    }
  );

  it('asks nothing once it is disposed', async () => {
    model.dispose();
    model.dispose();

    model.start();
    await vi.advanceTimersByTimeAsync(60_000);

    expect(model.isDisposed).toBe(true);
    expect(server.requests).toHaveLength(0);
  });
});
