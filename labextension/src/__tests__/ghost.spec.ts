import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { surroundings } from '../ghost/context';
import { type Enabled, GhostModel } from '../ghost/model';
import type { ILLMServer } from '../tokens';
import { FakeServer } from './fake-server';

const AROUND = { before: 'def add(a, b):\n    ', after: '\n' };
const CODER = { id: 'hello', state: 'ready', capabilities: ['infill'] };

describe('surroundings', () => {
  const cells = { before: ['import os'], after: ['add(1, 2)'] };
  const cursor = { before: 'x = ', after: ' + 1' };

  it('puts the cells around the text', () => {
    expect(surroundings(cells, cursor, 1000)).toEqual({
      before: 'import os\n\nx = ',
      after: ' + 1\n\nadd(1, 2)'
    });
  });

  it('leaves out what is farthest away', () => {
    expect(surroundings(cells, cursor, 12)).toEqual({
      before: ' os\n\nx = ',
      after: ' + '
    });
  });
});

describe('GhostModel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let model: GhostModel;

  const know = async (
    enabled: Enabled,
    given: object = {},
    gpuLayers = 0
  ): Promise<void> => {
    const memory = { devices: {}, gpu_layers: gpuLayers };
    const capabilities = ['chat', 'infill'];
    server.lists([
      { id: 'hello', state: 'ready', capabilities, memory, ...given }
    ]);
    model.settings = { ...model.settings, enabled };
    llm.feed.hold();
    await vi.advanceTimersByTimeAsync(1);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    server.replies('POST', 'infill', { content: 'return a + b' });
    llm = server.llm();
    model = new GhostModel(llm);
  });

  afterEach(() => {
    llm.feed.dispose();
    vi.useRealTimers();
  });

  it('has a loaded model fill the gap', async () => {
    await know('on');

    expect(await model.suggest(AROUND)).toBe('return a + b');
    const [asked] = server.asked('POST', 'infill');
    expect(asked?.url).toContain('infill?autoload=false');
    expect(await asked?.json()).toMatchObject({
      model: 'hello',
      input_prefix: AROUND.before,
      input_suffix: AROUND.after,
      n_predict: 48
    });
    expect(model.state.state).toBe('idle');
  });

  it.each<[string, Enabled, object, number]>([
    ['it is switched off', 'off', {}, 99],
    ['the model computes on a processor', 'auto', {}, 0],
    ['the model is not loaded', 'on', { state: 'unloaded' }, 0],
    ['the model cannot fill in', 'on', { capabilities: ['chat'] }, 0]
  ])('asks nobody where %s', async (_, enabled, given, layers) => {
    await know(enabled, given, layers);

    expect(await model.suggest(AROUND)).toBe('');
    expect(server.asked('POST', 'infill')).toHaveLength(0);
  });

  it('is on by itself where the model computes on a GPU', async () => {
    await know('auto', {}, 12);

    expect(await model.suggest(AROUND)).toBe('return a + b');
  });

  it('ends a suggestion that comes too late', async () => {
    await know('on');
    server.routes(
      'POST',
      'infill',
      request =>
        new Promise((_, reject) => {
          request.signal.addEventListener('abort', () => {
            reject(new DOMException('Aborted', 'AbortError'));
          });
        })
    );
    const late = model.suggest(AROUND);
    await vi.advanceTimersByTimeAsync(1);
    expect(model.state.state).toBe('thinking');

    server.replies('POST', 'infill', { content: 'new' });
    const fresh = model.suggest(AROUND);
    await vi.advanceTimersByTimeAsync(1);

    expect(await late).toBe('');
    expect(await fresh).toBe('new');
    const asked = server.asked('POST', 'infill');
    expect(asked[0]?.signal.aborted).toBe(true);
  });

  it('shows why it fails', async () => {
    await know('on');
    server.replies('POST', 'infill', { error: { message: 'No.' } }, 500);

    expect(await model.suggest(AROUND)).toBe('');
    expect(model.state).toMatchObject({
      state: 'failed',
      failure: { message: 'No.' }
    });
  });

  it('suggests nothing where the model went away just now', async () => {
    await know('on');
    const error = { message: 'It is not loaded.', code: 'model_not_loaded' };
    server.replies('POST', 'infill', { error }, 409);

    expect(await model.suggest(AROUND)).toBe('');
    expect(model.state.state).toBe('idle');
  });

  it('follows the models from the first suggestion on, until it is off', async () => {
    server.lists([CODER]);
    model.settings = { ...model.settings, enabled: 'on' };
    expect(server.requests).toHaveLength(0);

    expect(await model.suggest(AROUND)).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    expect(await model.suggest(AROUND)).toBe('return a + b');

    const [followed] = server.asked('GET', 'events');
    expect(followed?.signal.aborted).toBe(false);
    model.settings = { ...model.settings, enabled: 'off' };
    expect(followed?.signal.aborted).toBe(true);
  });

  it('asks no model that may have been unloaded meanwhile', async () => {
    server.lists([CODER]);
    model.settings = { ...model.settings, enabled: 'on' };
    const panel = llm.feed.hold();
    await vi.advanceTimersByTimeAsync(1);
    panel.dispose();
    server.lists([{ ...CODER, state: 'unloaded' }]);

    expect(await model.suggest(AROUND)).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    expect(await model.suggest(AROUND)).toBe('');
    expect(server.asked('POST', 'infill')).toHaveLength(0);
  });

  it.each<[string, Enabled, object, boolean]>([
    ['there is no model', 'auto', { state: 'unloaded' }, false],
    ['it is switched on, without a model', 'on', { state: 'unloaded' }, true],
    ['it is switched off', 'off', {}, false],
    ['it failed last', 'auto', {}, true]
  ])('knows whether it is on where %s', async (_, enabled, given, isOn) => {
    server.replies('POST', 'infill', { error: { message: 'No.' } }, 500);
    await know(enabled, given, 12);
    await model.suggest(AROUND);

    expect(model.isOn).toBe(isOn);
  });
});
