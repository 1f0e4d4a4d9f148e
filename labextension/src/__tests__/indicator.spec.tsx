import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { StatusIndicator } from '../status/indicator';
import { StatusModel } from '../status/model';
import { FakeServer } from './fake-server';
import { aModel } from './models';

describe('StatusIndicator', () => {
  let server: FakeServer;
  let model: StatusModel;
  let indicator: StatusIndicator;
  let opened: number;
  let statusBar: Panel;

  const pass = async (ms: number): Promise<void> => {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(ms);
      MessageLoop.flush();
    });
  };

  const attach = async (): Promise<void> => {
    act(() => {
      Widget.attach(statusBar, document.body);
    });
    await pass(1);
  };

  const root = (): HTMLElement => {
    const found = document.querySelector<HTMLElement>('.jp-llm-status');
    if (found === null) {
      throw new Error('The indicator shows nothing.');
    }
    return found;
  };

  const spoken = (): HTMLElement => {
    const found = document.querySelector<HTMLElement>('[role="status"]');
    if (found === null) {
      throw new Error('The indicator says nothing.');
    }
    return found;
  };

  beforeEach(() => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    vi.useFakeTimers();
    opened = 0;
    server = new FakeServer();
    server.lists([]);
    const { feed, pace } = server.llm();
    model = new StatusModel(feed, pace);
    indicator = new StatusIndicator(
      model,
      nullTranslator.load('jupyter-llm-ext'),
      () => {
        opened += 1;
      }
    );
    statusBar = new Panel();
    statusBar.addWidget(indicator);
  });

  afterEach(async () => {
    await act(async () => {
      statusBar.dispose();
      model.dispose();
      await vi.runAllTimersAsync();
    });
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('has its model ask nothing before it is seen', async () => {
    await pass(60_000);
    statusBar.hide();
    await attach();
    await pass(60_000);

    expect(server.requests).toHaveLength(0);

    statusBar.show();
    await pass(1);

    expect(server.requests).toHaveLength(1);
  });

  it('has its model rest while it is hidden', async () => {
    await attach();

    statusBar.hide();
    await pass(60_000);

    expect(server.requests).toHaveLength(1);
  });

  it('has its model rest once it is taken away', async () => {
    await attach();

    act(() => {
      indicator.dispose();
    });
    await pass(60_000);

    expect(server.requests).toHaveLength(1);
  });

  it('says that it waits for the first answer', async () => {
    server.hangs();

    await attach();

    expect(root().dataset['state']).toBe('connecting');
    expect(root().textContent).toBe('LLM: …');
  });

  it('follows a model through a load', async () => {
    const progress = { stage: 'reading', fraction: 0.42 };
    const stream = server.lists([{ id: 'hello', state: 'loading', progress }]);
    await attach();

    expect(root().dataset['state']).toBe('loading');
    expect(root().dataset['model']).toBe('hello');
    expect(root().textContent).toBe('LLM: hello 42 %');
    expect(root().title).toContain('Reading its file');
    expect(spoken().getAttribute('aria-busy')).toBe('true');

    stream.sends({ model: { id: 'hello', state: 'ready' } }, 'model');
    await pass(1);

    expect(root().dataset['state']).toBe('ready');
    expect(root().textContent).toBe('LLM: hello');
    expect(spoken().getAttribute('aria-busy')).toBe('false');
  });

  it('opens the models when it is pressed', async () => {
    await attach();

    root().click();

    expect(opened).toBe(1);
  });

  it('names no model when none is loaded', async () => {
    await attach();

    expect(root().dataset['state']).toBe('none');
    expect(root().dataset['model']).toBeUndefined();
  });

  it('speaks to a screen reader in a sentence, and hides the dot', async () => {
    server.lists([aModel({ state: 'ready' })]);
    await attach();

    expect(spoken().textContent).toBe('Language model hello is ready.');
    expect(root().getAttribute('aria-label')).toContain(
      'Language model hello is ready.'
    );
    expect(
      root().querySelector('.jp-llm-dot')?.getAttribute('aria-hidden')
    ).toBe('true');
  });

  it('says what to do when the extension is not there', async () => {
    server.routes('GET', 'events', () => new Response('', { status: 404 }));
    await attach();

    expect(root().dataset['state']).toBe('offline');
    expect(root().title).toContain('jupyter server extension enable llm_ext');
  });
});
