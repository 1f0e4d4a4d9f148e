import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../commands';
import { propose } from '../notebook/propose';
import { cellsPlugin } from '../plugins/cells';
import { FakeServer } from './fake-server';

vi.mock('../notebook/propose', () => ({ propose: vi.fn() }));

function aCell(source: string): object {
  const sharedModel = { getSource: () => source };
  const outputs = { toJSON: () => [] };
  return { model: { type: 'code', sharedModel, outputs } };
}

describe('jupyter-llm-ext:cells', () => {
  const first = aCell('a');
  const second = aCell('b');
  const panel = { content: { widgets: [first, second] } };
  let commands: CommandRegistry;
  let tracker: { currentWidget: object; activeCell: object };

  beforeEach(async () => {
    commands = new CommandRegistry();
    tracker = { currentWidget: panel, activeCell: second };
    await cellsPlugin.activate(
      { commands } as unknown as JupyterFrontEnd,
      new FakeServer().llm(),
      tracker,
      null,
      null
    );
  });

  it('edits the cell that was active, whichever is by then', async () => {
    const done = commands.execute(CommandIDs.refactor);
    tracker.activeCell = first;
    await done;

    const [call] = vi.mocked(propose).mock.calls;
    expect(call?.slice(0, 3)).toEqual(['refactor', panel, second]);
  });

  it('explains the cell that was active, whichever is by then', async () => {
    const asked = vi.fn();
    commands.addCommand(CommandIDs.openChat, { execute: asked });
    expect(commands.isEnabled(CommandIDs.explain)).toBe(true);

    await commands.execute(CommandIDs.explain);

    expect(asked).toHaveBeenCalledWith(
      expect.objectContaining({ cell: 'Cell 2', source: 'b' })
    );
  });

  it('explains nothing where there is no chat', () => {
    expect(commands.isEnabled(CommandIDs.explain)).toBe(false);
    expect(commands.isEnabled(CommandIDs.refactor)).toBe(true);
  });
});
