import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { expect, it, vi } from 'vitest';

import { AttachmentMenu } from '../chat/attachment-menu';
import type { IWorkspace } from '../notebook/workspace';
import { find, mount, press } from './mount';

it('offers only what there is', async () => {
  const cell = { kind: 'cell', name: 'Cell 1', content: 'x' };
  const workspace: Partial<IWorkspace> = {
    changed: new Signal({}),
    hasCell: true,
    cell: () => [cell],
    selectedCells: () => [cell],
    outputs: seesImages => (seesImages ? [cell] : []),
    error: () => []
  };
  const onAttach = vi.fn();
  const menu = mount(
    <AttachmentMenu
      workspace={workspace as IWorkspace}
      seesImages={false}
      onAttach={onAttach}
      onAttachFiles={() => undefined}
    />
  );

  await press(menu, 'Attach something');
  expect(
    ['Current cell', 'Output of the current cell', 'Last error', 'File…'].map(
      label => (find(menu, label) as HTMLButtonElement).disabled
    )
  ).toEqual([false, true, true, false]);

  await press(menu, 'Current cell');
  expect(onAttach).toHaveBeenCalledWith([cell]);
});
