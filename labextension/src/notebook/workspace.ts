import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { IAttachment, IFailure } from '../api/types';

/** Where code goes, seen from the active cell. */
export type Place = 'above' | 'below' | 'replace';

/** Files that a person chose. */
export interface IFiles {
  readonly attachments: readonly IAttachment[];
  /** Why some of them could not be attached; null if all were. */
  readonly failure: IFailure | null;
}

/** What a chat can take from, and give to, the notebook in front. */
export interface IWorkspace extends IDisposable {
  /** Emitted when another cell or notebook is in front. */
  readonly changed: ISignal<unknown, unknown>;
  /** Whether there is a cell to take from or give to. */
  readonly hasCell: boolean;
  /** The source of the active cell. */
  cell(): readonly IAttachment[];
  /** The sources of all selected cells. */
  selectedCells(): readonly IAttachment[];
  /** What the active cell put out; plots where the model sees images. */
  outputs(withImages: boolean): readonly IAttachment[];
  /** The error that occurred last in the notebook, and the cell in which it did. */
  error(): readonly IAttachment[];
  /** Have a person choose text files. */
  files(): Promise<IFiles>;
  /** Put code into the notebook. */
  put(code: string, place: Place): void;
}
