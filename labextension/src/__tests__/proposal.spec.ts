import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { propose } from '../notebook/propose';
import type { ILLMServer } from '../tokens';
import { FakeServer, type FakeStream } from './fake-server';
import { find } from './mount';

const COMPLETIONS = 'v1/chat/completions';

describe('propose', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let answer: FakeStream;
  let cell: Panel;
  let source: string;
  const activate = vi.fn();

  const writes = async (content: string, finish: string): Promise<void> => {
    answer.sends({ choices: [{ delta: { content } }] });
    answer.sends({ choices: [{ delta: {}, finish_reason: finish }] });
    answer.writes('data: [DONE]\n\n');
    answer.ends();
    await isDone();
  };
  const isDone = async (): Promise<void> => {
    await expect
      .poll(() => cell.node.querySelector('section'))
      .toHaveProperty('ariaBusy', 'false');
  };
  const accept = (): HTMLButtonElement =>
    find(cell.node, 'Accept') as HTMLButtonElement;

  beforeEach(async () => {
    server = new FakeServer();
    server.lists([{ id: 'hello', state: 'ready' }], 'hello');
    answer = server.streams('POST', COMPLETIONS);
    llm = server.llm();
    source = 'x=1';
    const sharedModel = {
      getSource: () => source,
      setSource: (code: string) => {
        source = code;
      }
    };
    const model = { sharedModel, contentChanged: new Signal({}), type: 'code' };
    const outputs = { toJSON: () => [] };
    cell = new Panel();
    Object.assign(cell, { model: { ...model, outputs } });
    const content = {
      model: { defaultKernelLanguage: 'python' },
      widgets: [cell],
      activate
    };
    Widget.attach(cell, document.body);
    propose(
      'refactor',
      { content } as unknown as NotebookPanel,
      cell as unknown as Cell,
      llm,
      nullTranslator.load('jupyter-llm-ext')
    );
    await expect.poll(() => server.asked('POST', COMPLETIONS)).toHaveLength(1);
    await expect.poll(() => cell.node.querySelector('section')).toBeTruthy();
  });

  afterEach(() => {
    cell.dispose();
    llm.feed.dispose();
    activate.mockReset();
  });

  it('names the language, not the kernel', async () => {
    const [asked] = server.asked('POST', COMPLETIONS);

    expect(JSON.stringify(await asked?.json())).toContain(
      'You edit python code in'
    );
  });

  it('is accepted, and gives the focus back', async () => {
    await writes('```\nx = 1\n```', 'stop');
    expect(cell.node.textContent).toContain('Ready.');

    accept().click();

    expect(source).toBe('x = 1');
    expect(cell.widgets).toEqual([]);
    expect(activate).toHaveBeenCalledOnce();
  });

  it('is rejected, and gives the focus back', async () => {
    await writes('x = 1', 'stop');

    find(cell.node, 'Reject').click();

    expect(source).toBe('x=1');
    expect(cell.widgets).toEqual([]);
    expect(activate).toHaveBeenCalledOnce();
  });

  it.each([
    ['length', 'no room for more tokens'],
    ['content_filter', '(content_filter)']
  ])('cannot be accepted where it ends for %s', async (reason, words) => {
    await writes('```\nx = ', reason);

    expect(accept().disabled).toBe(true);
    expect(cell.node.textContent).not.toContain('Ready.');
    expect(find(cell.node, 'Reject').closest('section')?.textContent).toContain(
      words
    );
  });

  it('cannot be accepted where the server goes away', async () => {
    answer.sends({ choices: [{ delta: { content: 'x = ' } }] });
    answer.ends();
    await isDone();

    expect(accept().disabled).toBe(true);
    expect(cell.node.textContent).toContain('cannot be reached');
  });

  it('keeps its keys from the notebook, wherever the focus is', async () => {
    await writes('x = 1', 'stop');
    const execute = vi.fn();
    const commands = new CommandRegistry();
    commands.addCommand('delete', { execute });
    commands.addKeyBinding({
      command: 'delete',
      keys: ['D'],
      selector: 'body :focus'
    });
    const hear = (event: KeyboardEvent): void => {
      commands.processKeydownEvent(event);
    };
    document.addEventListener('keydown', hear, true);

    const places = cell.node.querySelectorAll<HTMLElement>(
      'button, [tabindex="0"]'
    );
    expect(places).toHaveLength(3);
    for (const place of places) {
      place.focus();
      place.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'd', keyCode: 68 })
      );
    }

    expect(execute).not.toHaveBeenCalled();
    document.removeEventListener('keydown', hear, true);
  });
});
