import type { JupyterFrontEnd } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { expect, it, vi } from 'vitest';

import { CommandIDs } from '../commands';
import { ghostTextPlugin } from '../plugins/ghost-text';
import { FakeServer } from './fake-server';

it('can be switched on where settings cannot be read or kept', async () => {
  const commands = new CommandRegistry();
  const completions = { registerInlineProvider: vi.fn() };
  const fails = (): Promise<never> => Promise.reject(new Error('no settings'));
  const registry = { load: fails, set: fails };

  await ghostTextPlugin.activate(
    { commands } as unknown as JupyterFrontEnd,
    new FakeServer().llm(),
    completions,
    registry,
    null,
    null,
    null
  );
  expect(commands.isToggled(CommandIDs.toggleGhostText)).toBe(false);
  await commands.execute(CommandIDs.toggleGhostText);

  expect(commands.isToggled(CommandIDs.toggleGhostText)).toBe(true);
});
