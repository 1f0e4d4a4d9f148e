import type { ISignal } from '@lumino/signaling';

import type { IAttachment } from '../api/types';

/** Where code goes, seen from the active cell. */
export type Place = 'above' | 'below' | 'replace';

/** What a chat can take from, and give to, the notebook in front. */
export interface IWorkspace {
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
  /** The last error of the notebook. */
  error(): readonly IAttachment[];
  /** Text files that a person chooses; none if they choose none. */
  files(): Promise<readonly IAttachment[]>;
  /** Put code into the notebook. */
  put(code: string, place: Place): void;
}
