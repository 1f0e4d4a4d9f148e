import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { expect, it, vi } from 'vitest';

import { type ISurroundings, makeChat } from '../chat/make-chat';
import type { LazyPanel } from '../lazy-panel';
import { chatPlugin } from '../plugins/chat';
import { FakeServer } from './fake-server';

vi.mock('../chat/chat-panel', () => ({ ChatPanel: Widget }));
vi.mock('../chat/make-chat', () => ({ makeChat: vi.fn(() => ({})) }));
vi.mock('../notebook/notebook-workspace', () => ({}));

it('chats by default where settings cannot be read', async () => {
  const panels: LazyPanel<Widget>[] = [];
  const shell = { add: (panel: LazyPanel<Widget>) => panels.push(panel) };
  const load = vi.fn(() => Promise.reject(new Error('no settings')));
  await chatPlugin.activate(
    { commands: new CommandRegistry(), shell } as unknown as JupyterFrontEnd,
    new FakeServer().llm(),
    {},
    ...Array<null>(7).fill(null),
    { load }
  );
  expect(load).not.toHaveBeenCalled();

  await panels[0]?.content();

  const [given] = vi.mocked(makeChat).mock.calls[0] as [ISurroundings, string];
  expect(given.manner()).toEqual({ model: null, system: '', options: {} });
});
