import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { groupModels } from '../library/groups';
import { DOWNLOAD_FORM, LibraryModel } from '../library/model';
import type { ILLMServer } from '../tokens';
import { FakeServer } from './fake-server';
import { aModel } from './models';

describe('groupModels', () => {
  it('puts what needs attention first', () => {
    const error = { code: 'x', message: 'Damaged.' };
    const groups = groupModels(
      [
        aModel({ id: 'a' }),
        aModel({ id: 'b', state: 'loading' }),
        aModel({ id: 'c', state: 'busy' }),
        aModel({ id: 'd', state: 'failed' }),
        aModel({ id: 'e', error })
      ],
      ''
    );

    expect(
      groups.map(({ name, models }) => [name, models.map(({ id }) => id)])
    ).toEqual([
      ['loaded', ['c']],
      ['passing', ['b']],
      ['failed', ['d', 'e']],
      ['available', ['a']]
    ]);
  });

  it('finds a model by part of its name', () => {
    const models = [aModel({ id: 'org/Qwen3-0.6B' }), aModel({ id: 'other' })];

    expect(groupModels(models, ' qwen ')).toMatchObject([
      { models: [{ id: 'org/Qwen3-0.6B' }] }
    ]);
    expect(groupModels(models, 'nothing')).toEqual([]);
  });
});

describe('LibraryModel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let model: LibraryModel;

  beforeEach(async () => {
    vi.useFakeTimers();
    server = new FakeServer();
    server.lists([{ id: 'hello', state: 'unloaded' }]);
    server.replies('GET', 'status', {
      version: '1',
      runtime: { problem: null },
      devices: [
        {
          device: { name: 'CPU', description: 'x', total: 100, free: 60 },
          limit: 80,
          set_aside: 20
        }
      ]
    });
    llm = server.llm();
    model = new LibraryModel(llm);
    model.start();
    await vi.advanceTimersByTimeAsync(1);
  });

  afterEach(() => {
    model.dispose();
    llm.feed.dispose();
    vi.useRealTimers();
  });

  it('knows the models and what they run on', () => {
    expect(model.models).toMatchObject([{ id: 'hello' }]);
    expect(model.machine?.devices).toEqual([
      {
        name: 'CPU',
        description: 'x',
        total: 100,
        free: 60,
        limit: 80,
        setAside: 20
      }
    ]);
  });

  it('says beside the model what failed, until that is dismissed', async () => {
    const error = { message: 'It needs 9 GB, and 2 GB are free.' };
    server.replies('POST', 'models/hello/load', { error }, 503);

    expect(await model.load('hello')).toBe(false);

    expect(model.problems.get('hello')?.message).toBe(error.message);
    model.dismiss('hello');
    expect(model.problems.size).toBe(0);
  });

  it('shows at once that something is asked for', async () => {
    server.replies('POST', 'downloads', {
      id: 'd',
      reference: 'x',
      state: 'waiting'
    });

    const asked = model.download('hf:a/b');

    expect(model.isPending(DOWNLOAD_FORM)).toBe(true);
    expect(await asked).toBe(true);
    expect(model.isPending(DOWNLOAD_FORM)).toBe(false);
  });

  it('lets a load be cancelled', async () => {
    server.replies('POST', 'models/hello/unload', {
      id: 'hello',
      state: 'unloaded'
    });

    await model.unload('hello');

    const [asked] = server.asked('POST', 'models/hello/unload');
    expect(await asked?.json()).toEqual({ force: true });
  });

  it('estimates a load anew when the options change, but not for each digit', async () => {
    server.replies('POST', 'preflight', { ok: true, checks: [], evicts: [] });
    const plan = model.plan(aModel());
    await vi.advanceTimersByTimeAsync(1);
    expect(plan.preflight?.ok).toBe(true);

    plan.set('context_length', 5);
    plan.set('context_length', 51);
    plan.set('context_length', 512);
    await vi.advanceTimersByTimeAsync(1_000);

    const asked = server.asked('POST', 'preflight');
    expect(asked).toHaveLength(2);
    expect(await asked[1]?.json()).toEqual({
      model: 'hello',
      options: { context_length: 512 }
    });
    plan.dispose();
  });

  it('does not show the estimate of other options than are chosen', async () => {
    server.replies('POST', 'preflight', { ok: false, checks: [], evicts: [] });
    const plan = model.plan(aModel());
    await vi.advanceTimersByTimeAsync(1);
    expect(plan.preflight?.ok).toBe(false);

    plan.set('slots', 2);

    expect(plan.preflight).toBeNull();
    plan.dispose();
  });

  it('does not wait for the estimate of options that are chosen no more', async () => {
    server.hangs();
    const plan = model.plan(aModel());
    await vi.advanceTimersByTimeAsync(1);

    plan.set('slots', 2);

    const [asked] = server.asked('POST', 'preflight');
    expect(asked?.signal.aborted).toBe(true);
    plan.dispose();
  });
});
