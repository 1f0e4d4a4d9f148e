import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IStatusBar } from '@jupyterlab/statusbar';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { describe, expect, it, vi } from 'vitest';

import plugins from '../index';
import { statusPlugin } from '../plugins/status';
import { StatusIndicator } from '../status/indicator';
import { FakeServer } from './fake-server';

function anApp(server: FakeServer): JupyterFrontEnd {
  const app = {
    commands: new CommandRegistry(),
    restored: Promise.resolve(),
    serviceManager: { serverSettings: server.settings }
  };
  return app as unknown as JupyterFrontEnd;
}

describe('jupyter-llm-ext:status', () => {
  it('is one of the plugins of the extension', () => {
    expect(plugins.map(({ id }) => id)).toContain('jupyter-llm-ext:status');
  });

  it('adds one item, and ends with it', async () => {
    const items: Widget[] = [];
    const statusBar = {
      registerStatusItem: (_: string, { item }: IStatusBar.IItem) => {
        items.push(item);
      }
    };

    const server = new FakeServer();
    await statusPlugin.activate(anApp(server), server.llm(), statusBar, null);
    expect(items).toHaveLength(0);
    await vi.waitFor(() => {
      expect(items).toHaveLength(1);
    });

    const [item] = items;
    expect(item).toBeInstanceOf(StatusIndicator);
    const { model } = item as StatusIndicator;
    item?.dispose();
    expect(model.isDisposed).toBe(true);
  });

  it('can be pressed where there is no Models panel', async () => {
    const items: Widget[] = [];
    const statusBar = {
      registerStatusItem: (_: string, { item }: IStatusBar.IItem) => {
        Widget.attach(item, document.body);
        items.push(item);
      }
    };
    const server = new FakeServer();
    await statusPlugin.activate(anApp(server), server.llm(), statusBar, null);
    await vi.waitFor(() => {
      expect(items[0]?.node.querySelector('button')).toBeTruthy();
    });

    // A command that is missing would reject where nobody hears it.
    items[0]?.node.querySelector('button')?.click();
    await Promise.resolve();

    items[0]?.dispose();
  });

  it('does nothing where there is no status bar', async () => {
    const server = new FakeServer();

    await statusPlugin.activate(anApp(server), server.llm(), null, null);

    expect(server.requests).toHaveLength(0);
  });
});
