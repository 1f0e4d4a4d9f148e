import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { describe, expect, it, vi } from 'vitest';

import { LazyPanel } from '../lazy-panel';

describe('LazyPanel', () => {
  it('says what failed, and loads when it is asked again', async () => {
    const complained = vi.spyOn(console, 'error').mockImplementation(() => {
      // Expected here.
    });
    const content = new Widget();
    const load = vi
      .fn<() => Promise<Widget>>()
      .mockRejectedValueOnce(new Error('a chunk is missing'))
      .mockResolvedValue(content);
    const panel = new LazyPanel(load, nullTranslator.load('jupyter-llm-ext'));

    await expect(panel.content()).rejects.toThrow('a chunk is missing');
    const notice = panel.node.querySelector('[role="alert"]');
    expect(notice?.textContent).toContain('could not be loaded');

    notice?.querySelector('button')?.click();
    await expect.poll(() => panel.widgets).toEqual([content]);
    expect(panel.node.querySelector('[role="alert"]')).toBeNull();
    expect(await panel.content()).toBe(content);
    expect(load).toHaveBeenCalledTimes(2);
    complained.mockRestore();
  });

  it('leaves nothing behind where it is closed while it loads', async () => {
    const content = new Widget();
    const trans = nullTranslator.load('jupyter-llm-ext');
    const panel = new LazyPanel(() => Promise.resolve(content), trans);

    const loaded = panel.content();
    panel.dispose();
    await loaded;

    expect(content.isDisposed).toBe(true);
  });
});
