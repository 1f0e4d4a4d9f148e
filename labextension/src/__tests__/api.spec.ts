import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { exportConversation } from '../api/conversations';
import { readModelList } from '../api/model-info';
import { deleteModel, loadModel, preflight } from '../api/models';
import { callJson, pathOf, REQUEST_TIMEOUT_MS } from '../api/request';
import { FakeServer } from './fake-server';
import { aModel } from './models';

describe('callJson', () => {
  let server: FakeServer;
  let page: AbortController;

  const call = (): Promise<unknown> =>
    callJson(server.settings, {
      path: 'status',
      query: { no_track_activity: '1' },
      signal: page.signal
    });

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    page = new AbortController();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks below the base URL, with the token', async () => {
    server.sends(200, '{}');

    await call();

    const [request] = server.requests;
    const url = new URL(request?.url ?? '');
    expect(url.pathname).toBe('/user/jo/llm/status');
    expect(url.searchParams.get('no_track_activity')).toBe('1');
    expect(request?.method).toBe('GET');
    expect(request?.headers.get('Authorization')).toBe('token secret');
  });

  it('leaves no timer behind', async () => {
    server.sends(200, '{}');

    await call();

    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes an empty answer for what it is', async () => {
    server.routes('GET', 'status', () => new Response(null, { status: 204 }));

    expect(await call()).toBeNull();
  });

  it('does not understand a page instead of JSON', async () => {
    server.sends(200, '<!doctype html>');

    await expect(call()).rejects.toMatchObject({ kind: 'not-understood' });
  });

  it.each([
    [401, 'forbidden'],
    [403, 'forbidden'],
    [404, 'missing'],
    [500, 'refused'],
    [503, 'refused']
  ])(
    'tells status %i as %s, in the words of the server',
    async (status, kind) => {
      const error = { message: 'Because.', type: 'x', code: null, param: null };
      server.sends(status, JSON.stringify({ error }));

      await expect(call()).rejects.toMatchObject({
        kind,
        status,
        message: 'Because.'
      });
    }
  );

  it('takes a 404 without words for a server without the extension', async () => {
    server.sends(404, '<h1>404</h1>');

    await expect(call()).rejects.toMatchObject({ kind: 'not-installed' });
  });

  it.each(['', '<h1>Oh</h1>', '{"error": "Oh"}', '{"error": {"message": 1}}'])(
    'has no words for an error that reads %j',
    async body => {
      server.sends(500, body);

      await expect(call()).rejects.toMatchObject({
        kind: 'refused',
        message: ''
      });
    }
  );

  it('tells when the server cannot be reached', async () => {
    server.disappears();

    await expect(call()).rejects.toMatchObject({
      kind: 'unreachable',
      status: null
    });
  });

  it('gives up on a server that does not answer', async () => {
    server.hangs();

    const failed = expect(call()).rejects.toMatchObject({ kind: 'timeout' });
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);

    await failed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops when the caller no longer wants an answer', async () => {
    server.hangs();
    const called = call();

    page.abort(new Error('closed'));

    await expect(called).rejects.toThrow('closed');
    expect(server.requests[0]?.signal.aborted).toBe(true);
  });
});

describe('pathOf', () => {
  it('keeps the slashes of a model name, and nothing else that means something', () => {
    expect(pathOf('models', 'org/name v1?x#y')).toBe(
      'models/org/name%20v1%3Fx%23y'
    );
  });
});

describe('readModelList', () => {
  it('reads what it knows and ignores the rest', () => {
    const list = readModelList({
      default: 'hello',
      models: [
        {
          id: 'hello',
          name: 'Hello',
          state: 'loading',
          progress: { stage: 'reading', fraction: 0.42, bytes: 7 },
          error: { code: 'model_unreadable', message: 'No such file.' },
          slots: { total: 4, busy: 1, waiting: 2 },
          size: 123456,
          source: 'folder',
          capabilities: ['chat', 'tools'],
          memory: {
            devices: { CPU: { weights: 1, cache: 20, compute: 300 } },
            context_length: 8192,
            gpu_layers: 3,
            measured: true
          },
          trained_context: 131072,
          pinned: true
        }
      ],
      remote: [{ id: 'lab/big', provider: 'lab', name: 'big' }]
    });

    expect(list).toEqual({
      default: 'hello',
      models: [
        {
          id: 'hello',
          state: 'loading',
          progress: { stage: 'reading', fraction: 0.42 },
          error: { code: 'model_unreadable', message: 'No such file.' },
          slots: { total: 4, busy: 1, waiting: 2 },
          size: 123456,
          source: 'folder',
          capabilities: ['chat', 'tools'],
          parameters: null,
          quantization: null,
          trainedContext: 131072,
          contextLength: null,
          memory: { devices: { CPU: 321 }, contextLength: 8192, gpuLayers: 3 },
          pinned: true,
          provider: null
        }
      ],
      remote: [
        aModel({
          id: 'lab/big',
          state: 'ready',
          source: '',
          capabilities: [],
          provider: 'lab'
        })
      ]
    });
  });

  it.each([
    ['an unfinished detail', { progress: { stage: 'reading' } }, 'progress'],
    ['an error without words', { error: { code: 'x' } }, 'error'],
    ['slots without numbers', { slots: { total: '4' } }, 'slots'],
    ['memory without devices', { memory: { measured: true } }, 'memory']
  ])('goes without %s', (_, given, field) => {
    const { models } = readModelList({
      models: [{ id: 'hello', state: 'ready', ...given }]
    });

    expect(models[0]).toHaveProperty(field, null);
  });

  it.each([
    ['no list', {}],
    ['a list that is none', { models: {} }],
    ['a model without id', { models: [{ state: 'ready' }] }],
    ['a model that is none', { models: [null] }],
    ['an unknown state', { models: [{ id: 'a', state: 'asleep' }] }]
  ])('does not understand %s', (_, body) => {
    expect(() => readModelList(body)).toThrow(
      expect.objectContaining({ kind: 'not-understood' })
    );
  });
});

describe('the models', () => {
  it('are loaded with the options that were chosen', async () => {
    const server = new FakeServer();
    server.replies('POST', 'models/org/hello/load', {
      id: 'org/hello',
      state: 'loading'
    });

    await loadModel(server.settings, 'org/hello', { context_length: 512 });

    expect(await server.requests[0]?.json()).toEqual({
      options: { context_length: 512 }
    });
  });

  it('are deleted', async () => {
    const server = new FakeServer();
    server.routes(
      'DELETE',
      'models/hello',
      () => new Response(null, { status: 204 })
    );

    await deleteModel(server.settings, 'hello');

    expect(server.asked('DELETE', 'models/hello')).toHaveLength(1);
  });

  it('are estimated before they are loaded', async () => {
    const server = new FakeServer();
    server.replies('POST', 'preflight', {
      model: 'hello',
      ok: false,
      checks: [{ name: 'memory', ok: false, message: 'It does not fit.' }],
      memory: { devices: { CPU: { weights: 5 } }, context_length: 64 },
      evicts: ['other']
    });

    const verdict = await preflight(
      server.settings,
      'hello',
      {},
      new AbortController().signal
    );

    expect(verdict).toEqual({
      ok: false,
      checks: [{ name: 'memory', ok: false, message: 'It does not fit.' }],
      memory: { devices: { CPU: 5 }, contextLength: 64, gpuLayers: 0 },
      evicts: ['other']
    });
  });
});

describe('exportConversation', () => {
  it('says that a file was cut off', async () => {
    const server = new FakeServer();
    const stream = server.streams('GET', 'conversations/c/export');
    stream.writes('# A conversa');

    const file = exportConversation(server.settings, 'c', 'markdown');
    setTimeout(() => {
      stream.breaks();
    });

    await expect(file).rejects.toMatchObject({ kind: 'unreachable' });
  });
});
