import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { listModels } from '../api/models';
import { REQUEST_TIMEOUT_MS } from '../api/request';
import type { IModelList } from '../api/types';
import { FakeServer } from './fake-server';

describe('listModels', () => {
  let server: FakeServer;
  let page: AbortController;

  const list = (): Promise<IModelList> =>
    listModels(server.settings, page.signal);

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    page = new AbortController();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks below the base URL, with the token, without counting as activity', async () => {
    server.lists([]);

    await list();

    const [request] = server.requests;
    const url = new URL(request?.url ?? '');
    expect(url.pathname).toBe('/user/jo/llm/models');
    expect(url.searchParams.get('no_track_activity')).toBe('1');
    expect(request?.method).toBe('GET');
    expect(request?.headers.get('Authorization')).toBe('token secret');
  });

  it('leaves no timer behind', async () => {
    server.lists([]);

    await list();

    expect(vi.getTimerCount()).toBe(0);
  });

  it('reads what it knows and ignores the rest', async () => {
    server.lists(
      [
        {
          id: 'hello',
          name: 'Hello',
          state: 'loading',
          progress: { stage: 'reading', fraction: 0.42, bytes: 7 },
          error: { code: 'model_unreadable', message: 'No such file.' },
          slots: { total: 4, busy: 1, waiting: 2 },
          size: 123456
        }
      ],
      'hello'
    );

    expect(await list()).toEqual({
      default: 'hello',
      models: [
        {
          id: 'hello',
          state: 'loading',
          progress: { stage: 'reading', fraction: 0.42 },
          error: { code: 'model_unreadable', message: 'No such file.' },
          slots: { total: 4, busy: 1, waiting: 2 }
        }
      ]
    });
  });

  it('takes null where the server has nothing to tell', async () => {
    server.lists([
      {
        id: 'hello',
        state: 'unloaded',
        progress: null,
        error: null,
        slots: null
      }
    ]);

    expect(await list()).toEqual({
      default: null,
      models: [
        {
          id: 'hello',
          state: 'unloaded',
          progress: null,
          error: null,
          slots: null
        }
      ]
    });
  });

  it.each([
    ['an unfinished detail', { progress: { stage: 'reading' } }, 'progress'],
    ['an error without words', { error: { code: 'x' } }, 'error'],
    ['slots without numbers', { slots: { total: '4' } }, 'slots']
  ])('goes without %s', async (_, given, field) => {
    server.lists([{ id: 'hello', state: 'ready', ...given }]);

    const { models } = await list();

    expect(models[0]).toHaveProperty(field, null);
  });

  it.each([
    ['a page instead of JSON', '<!doctype html>'],
    ['no list', '{}'],
    ['a list that is none', '{"models": {}}'],
    ['a model without id', '{"models": [{"state": "ready"}]}'],
    ['a model that is none', '{"models": [null]}'],
    ['an unknown state', '{"models": [{"id": "a", "state": "asleep"}]}']
  ])('does not understand %s', async (_, body) => {
    server.sends(200, body);

    await expect(list()).rejects.toMatchObject({ kind: 'not-understood' });
  });

  it.each([
    [401, 'forbidden'],
    [403, 'forbidden'],
    [404, 'not-installed'],
    [500, 'refused'],
    [503, 'refused']
  ])(
    'tells status %i as %s, in the words of the server',
    async (status, kind) => {
      const error = { message: 'Because.', type: 'x', code: null, param: null };
      server.sends(status, JSON.stringify({ error }));

      await expect(list()).rejects.toMatchObject({
        kind,
        status,
        message: 'Because.'
      });
    }
  );

  it.each(['', '<h1>Oh</h1>', '{"error": "Oh"}', '{"error": {"message": 1}}'])(
    'has no words for an error that reads %j',
    async body => {
      server.sends(500, body);

      await expect(list()).rejects.toMatchObject({
        kind: 'refused',
        message: ''
      });
    }
  );

  it('tells when the server cannot be reached', async () => {
    server.disappears();

    await expect(list()).rejects.toMatchObject({
      kind: 'unreachable',
      status: null
    });
  });

  it('gives up on a server that does not answer', async () => {
    server.hangs();

    const failed = expect(list()).rejects.toMatchObject({ kind: 'timeout' });
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);

    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops when the caller no longer wants an answer', async () => {
    server.hangs();
    const listed = list();

    page.abort(new Error('closed'));

    await expect(listed).rejects.toThrow('closed');
    expect(server.requests[0]?.signal.aborted).toBe(true);
  });
});
