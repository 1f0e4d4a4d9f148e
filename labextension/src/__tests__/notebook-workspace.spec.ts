import { FileDialog } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import {
  type IFileSource,
  NotebookWorkspace
} from '../notebook/notebook-workspace';

const TRANS = nullTranslator.load('jupyter-llm-ext');

/** A signal that tells who listens. */
class FakeSignal {
  readonly slots = new Set<unknown>();

  connect(slot: unknown): void {
    this.slots.add(slot);
  }

  disconnect(slot: unknown): void {
    this.slots.delete(slot);
  }
}

/** A notebook of cells that failed, each with the number of its run. */
function failed(...runs: readonly (number | null)[]): INotebookTracker {
  const error = { output_type: 'error', ename: 'E', evalue: '', traceback: [] };
  const widgets = runs.map(executionCount => ({
    model: {
      type: 'code',
      executionCount,
      outputs: { toJSON: () => [error] },
      sharedModel: { getSource: () => 'fail()' }
    }
  }));
  const tracker = {
    activeCell: null,
    currentWidget: { content: { widgets } },
    activeCellChanged: new FakeSignal(),
    currentChanged: new FakeSignal()
  };
  return tracker as unknown as INotebookTracker;
}

function names(tracker: INotebookTracker): string[] {
  return new NotebookWorkspace(tracker, null, TRANS)
    .error()
    .map(({ name }) => name);
}

describe('NotebookWorkspace', () => {
  it('finds the error that occurred last, wherever it stands', () => {
    expect(names(failed(3, 7, 5))).toEqual(['Cell 2', 'Error in cell 2']);
  });

  it('takes the lowest error where nothing was run since', () => {
    expect(names(failed(null, null))).toEqual(['Cell 2', 'Error in cell 2']);
    expect(names(failed())).toEqual([]);
  });

  it('attaches text files, and says which are none', async () => {
    const files = ['a.txt', 'b.png', 'c.txt', 'd'].map(name => ({
      name,
      path: `in/${name}`,
      type: name === 'd' ? 'directory' : 'file'
    }));
    vi.spyOn(FileDialog, 'getOpenFiles').mockResolvedValue({
      value: files
    } as unknown as Awaited<ReturnType<typeof FileDialog.getOpenFiles>>);
    const get = (path: string): Promise<unknown> =>
      path.endsWith('.png')
        ? Promise.reject(new Error('in/b.png is not UTF-8 encoded'))
        : Promise.resolve({ content: `of ${path}` });
    const source = {
      manager: { services: { contents: { get } } },
      browser: { model: { path: '' } }
    } as unknown as IFileSource;

    const { attachments, failure } = await new NotebookWorkspace(
      failed(),
      source,
      TRANS
    ).files();

    expect(attachments).toEqual([
      { kind: 'file', name: 'a.txt', content: 'of in/a.txt' },
      { kind: 'file', name: 'c.txt', content: 'of in/c.txt' }
    ]);
    expect(failure?.message).toContain('b.png');
  });

  it('lets go of the notebook', () => {
    const tracker = failed();
    const slots = [tracker.currentChanged, tracker.activeCellChanged].map(
      signal => (signal as unknown as FakeSignal).slots
    );
    const workspace = new NotebookWorkspace(tracker, null, TRANS);
    expect(slots.map(({ size }) => size)).toEqual([1, 1]);

    workspace.dispose();

    expect(slots.map(({ size }) => size)).toEqual([0, 0]);
  });
});
