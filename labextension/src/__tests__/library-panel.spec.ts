import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LibraryModel } from '../library/model';
import { LibraryPanel } from '../library/library-panel';
import type { ILLMServer } from '../tokens';
import { FakeServer, type FakeStream } from './fake-server';
import { find } from './mount';

describe('LibraryPanel', () => {
  let server: FakeServer;
  let llm: ILLMServer;
  let events: FakeStream;
  let panel: LibraryPanel;

  const button = (label: string): HTMLElement => find(panel.node, label);
  const opens = async (label: string, form: string): Promise<void> => {
    button(label).focus();
    button(label).click();
    await vi.waitFor(() => button(form));
  };
  const becomes = async (id: string, state: string): Promise<void> => {
    events.sends({ model: { id, state } }, 'model');
    await expect
      .poll(() => panel.node.querySelector(`[data-model=${id}]`))
      .toHaveProperty('dataset.state', state);
  };

  beforeEach(async () => {
    server = new FakeServer();
    server.replies('GET', 'status', { devices: [] });
    server.replies('POST', 'preflight', { ok: true, checks: [], evicts: [] });
    server.replies('POST', 'models/b/load', { id: 'b', state: 'loading' });
    events = server.lists(
      ['a', 'b', 'c'].map(id => ({ id, state: 'unloaded' }))
    );
    llm = server.llm();
    panel = new LibraryPanel(
      new LibraryModel(llm),
      nullTranslator.load('jupyter-llm-ext')
    );
    Widget.attach(panel, document.body);
    await vi.waitFor(() => button('Load b'));
  });

  afterEach(() => {
    panel.dispose();
    llm.feed.dispose();
  });

  it('keeps the focus in the row of a model, whatever its group', async () => {
    const pressed = button('Load b');
    pressed.focus();
    pressed.click();

    for (const state of ['loading', 'ready', 'unloading', 'unloaded']) {
      await becomes('b', state);
      expect(document.activeElement).toBe(pressed);
    }
    expect(server.asked('POST', 'models/b/load')).toHaveLength(1);
  });

  it('asks once, however often it is pressed', async () => {
    server.hangs();

    button('Load b').click();
    await expect.poll(() => button('Load b').ariaDisabled).toBe('true');
    button('Load b').click();

    expect(server.asked('POST', 'models/b/load')).toHaveLength(1);
  });

  it('has the groups as headings of one list', async () => {
    await becomes('b', 'ready');

    const texts = [...panel.node.querySelectorAll('ul > li')].map(item =>
      (
        item.querySelector('h2') ?? item.querySelector('.jp-llm-row-name')
      )?.textContent.trim()
    );
    expect(texts).toEqual(['Loaded 1', 'b', 'Available 2', 'a', 'c']);
  });

  it('keeps the focus in the row of a download, whatever it does', async () => {
    const goes = async (state: string, label: string): Promise<HTMLElement> => {
      events.sends(
        { download: { id: 'd', reference: 'x', state } },
        'download'
      );
      await expect
        .poll(() => panel.node.querySelector('[data-download=d]'))
        .toHaveProperty('dataset.state', state);
      return button(`${label} the download of x`);
    };
    server.replies('POST', 'downloads/d/pause', {});
    const pressed = await goes('downloading', 'Pause');
    pressed.focus();
    pressed.click();

    expect(await goes('paused', 'Go on with')).toBe(pressed);
    expect(await goes('resolving', 'Pause')).toBe(pressed);
    expect(pressed.ariaDisabled).toBe('true');
    pressed.click();
    expect(await goes('downloading', 'Pause')).toBe(pressed);
    expect(pressed.ariaDisabled).toBe('false');
    expect(await goes('failed', 'Go on with')).toBe(pressed);

    expect(document.activeElement).toBe(pressed);
    expect(server.asked('POST', 'downloads/d/pause')).toHaveLength(1);
  });

  it('gives the focus back to what opened the options', async () => {
    await opens('Load b with options', 'Cancel');

    button('Cancel').focus();
    button('Cancel').click();

    await expect
      .poll(() => document.activeElement)
      .toBe(button('Load b with options'));
  });

  it('has the focus in the row that is loaded with options', async () => {
    await opens('Load b with options', 'Load');

    button('Load').focus();
    button('Load').click();
    await becomes('b', 'loading');

    expect(document.activeElement).toBe(button('Cancel the load of b'));
  });

  it('gives the focus back to what opened the downloads', async () => {
    server.replies('POST', 'downloads', {
      id: 'd',
      reference: 'x',
      state: 'waiting'
    });
    await opens('Download a model', 'Model to download');
    const box = button('Model to download') as HTMLInputElement;
    expect(document.activeElement).toBe(box);

    // React looks at the value that the prototype keeps.
    Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )?.set?.call(box, 'hf:a/b');
    box.dispatchEvent(new Event('input', { bubbles: true }));
    await expect
      .poll(() => button('Download'))
      .toHaveProperty('disabled', false);
    box.form?.requestSubmit();

    await expect
      .poll(() => document.activeElement)
      .toBe(button('Download a model'));
  });
});
