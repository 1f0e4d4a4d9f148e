import { RenderMimeRegistry } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ChatPanel } from '../chat/chat-panel';
import { makeChat } from '../chat/make-chat';
import type { ILLMServer } from '../tokens';
import { FakeServer } from './fake-server';
import { find, press, write } from './mount';

const LIST = [{ id: 'hello', state: 'ready', capabilities: ['chat'] }];
const STOP = 'Stop (Escape)';

describe('ChatPanel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let panel: ChatPanel;

  const pass = async (ms = 1): Promise<void> => {
    await act(async () => {
      await vi.advanceTimersByTimeAsync(ms);
      MessageLoop.flush();
    });
  };

  const attach = async (): Promise<void> => {
    act(() => {
      Widget.attach(panel, document.body);
    });
    await pass();
  };

  const picked = (): string | null | undefined =>
    find(panel.node, 'Model').querySelector('option')?.textContent;

  beforeEach(() => {
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    vi.useFakeTimers();
    sessionStorage.clear();
    server = new FakeServer();
    llm = server.llm();
    const trans = nullTranslator.load('jupyter-llm-ext');
    const surroundings = {
      server: llm,
      rendermime: new RenderMimeRegistry(),
      workspace: null,
      manner: () => ({ model: 'hello', system: '', options: {} }),
      trans
    };
    const { model, rendering } = makeChat(surroundings, 'here');
    panel = new ChatPanel(model, rendering, trans);
  });

  afterEach(() => {
    act(() => {
      panel.dispose();
    });
    llm.feed.dispose();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('says that a model is gone only when it knows', async () => {
    server.hangs();
    await attach();
    expect(picked()).toBe('hello');

    server.lists([]);
    act(() => {
      panel.model.retry();
    });
    await pass();
    expect(picked()).toBe('hello is gone');
  });

  it('shows in the drawer what the new conversation begins with', async () => {
    server.lists(LIST);
    await attach();
    await press(panel.node, 'System prompt and sampling');
    await write(panel.node, 'Seed', '7');

    act(() => {
      panel.model.fresh();
    });

    expect(find(panel.node, 'Seed')).toHaveProperty('value', '');
  });

  it('does not take a double click on Send for a Stop', async () => {
    server.lists(LIST);
    server.replies('POST', 'conversations', { id: 'c' }, 201);
    server.streams('POST', 'conversations/c/reply');
    await attach();
    await write(panel.node, 'Message', 'Hi');

    await press(panel.node, 'Send (Enter)', { detail: 1 });
    const stop = find(panel.node, STOP);
    await press(panel.node, STOP, { detail: 2 });
    await pass();
    expect(panel.model.conversation.activity.state).toBe('sending');
    expect(document.activeElement).toBe(find(panel.node, 'Message'));

    await press(panel.node, STOP, { detail: 1 });
    expect(stop.isConnected).toBe(true);
    expect(panel.model.conversation.activity.state).toBe('stopping');
  });

  it('complains until it is told not to', async () => {
    server.lists(LIST);
    await attach();
    await act(async () => {
      await panel.model.open('broken');
    });
    expect(panel.node.querySelector('[role="alert"]')).not.toBeNull();

    await press(panel.node, 'Dismiss');

    expect(panel.node.querySelector('[role="alert"]')).toBeNull();
  });
});
