import type {
  CompletionHandler,
  IInlineCompletionContext,
  IInlineCompletionList,
  IInlineCompletionProvider
} from '@jupyterlab/completer';
import { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import { surroundings } from './context';
import type { GhostModel } from './model';

/** Milliseconds without a key before a model is asked. */
const PATIENCE_MS = 250;
/** Milliseconds after which a suggestion is no longer of use. */
const TIMEOUT_MS = 10_000;

/** Gives JupyterLab's inline completer what a model suggests. */
export class GhostProvider implements IInlineCompletionProvider {
  constructor(
    private readonly _model: GhostModel,
    trans: TranslationBundle
  ) {
    this.name = trans.__('Language model of this server');
  }

  readonly identifier = 'jupyter-llm-ext';
  readonly name: string;

  /** What JupyterLab's inline completer begins with; its settings change it. */
  readonly schema = {
    default: {
      enabled: true,
      autoFillInMiddle: true,
      debouncerDelay: PATIENCE_MS,
      timeout: TIMEOUT_MS
    }
  };

  async fetch(
    { text, offset }: CompletionHandler.IRequest,
    { widget }: IInlineCompletionContext
  ): Promise<IInlineCompletionList> {
    const around = surroundings(
      cellsAround(widget),
      { before: text.slice(0, offset), after: text.slice(offset) },
      this._model.settings.contextCharacters
    );
    const insertText = await this._model.suggest(around);
    return { items: insertText.trim() === '' ? [] : [{ insertText }] };
  }
}

/** The code before and after the active cell of a notebook. */
function cellsAround(widget: unknown): { before: string[]; after: string[] } {
  if (!(widget instanceof NotebookPanel)) {
    return { before: [], after: [] };
  }
  const { widgets, activeCellIndex } = widget.content;
  const sources = (from: number, to?: number): string[] =>
    widgets
      .slice(from, to)
      .filter(({ model }) => model.type === 'code')
      .map(({ model }) => model.sharedModel.getSource());
  return {
    before: sources(0, activeCellIndex),
    after: sources(activeCellIndex + 1)
  };
}
