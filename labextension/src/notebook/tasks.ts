import type { ITurn } from '../api/completions';

/** What a model can do to a cell. */
export type EditKind = 'fix' | 'refactor' | 'comment' | 'test';

/** A cell, as far as a model is told of it. */
export interface ICellText {
  /** Its language, such as "python"; empty where no kernel has said so yet. */
  readonly language: string;
  readonly source: string;
  /** How it failed last; null if it did not. */
  readonly error: string | null;
}

const ORDERS: Readonly<Record<EditKind, string>> = {
  fix: 'Repair the code so that the error no longer occurs. Change nothing else.',
  refactor:
    'Rewrite the code so that it is easier to read. It must do the same as before.',
  comment:
    'Add short comments, and docstrings where they are missing. Leave the code itself as it is.',
  test: 'Write tests of the code as plain assert statements, to be run in the cell below it. Do not repeat the code.'
};

/** What a model is asked, to get the new code of a cell. */
export function editTurns(kind: EditKind, cell: ICellText): ITurn[] {
  const fence = fenceFor(cell.source);
  const language = `${cell.language} code`.trim();
  const parts = [
    ORDERS[kind],
    `${fence}${cell.language}\n${cell.source}\n${fence}`
  ];
  if (kind === 'fix' && cell.error !== null) {
    parts.push(`The error:\n\n${cell.error}`);
  }
  return [
    {
      role: 'system',
      content: `You edit ${language} in a Jupyter notebook. Answer with one block of code and nothing else.`
    },
    { role: 'user', content: parts.join('\n\n') }
  ];
}

/** The code of an answer: what its first fence holds, or all of it without one. */
export function codeOf(answer: string): string {
  const open = /^(`{3,}|~{3,})[^\n]*\n/m.exec(answer);
  if (open === null) {
    return answer.trim();
  }
  const inside = answer.slice(open.index + open[0].length);
  const end = inside.search(new RegExp(`^${open[1] ?? ''}\\s*$`, 'm'));
  return (end < 0 ? inside : inside.slice(0, end)).replace(/\s+$/, '');
}

/** A fence that the text does not hold itself. */
function fenceFor(text: string): string {
  let fence = '```';
  while (text.includes(fence)) {
    fence += '`';
  }
  return fence;
}
