/** A line that two texts share, or that one of them has alone. */
export interface IDiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/**
 * Compare two texts line by line.
 *
 * Finds the longest common subsequence of lines by tabulation, after what both
 * begin and end with, so that its cost is that of the part that changed.
 */
export function diffLines(before: string, after: string): IDiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start += 1;
  }
  let end = 0;
  while (
    end < Math.min(a.length, b.length) - start &&
    a.at(-1 - end) === b.at(-1 - end)
  ) {
    end += 1;
  }
  const same = (text: string): IDiffLine => ({ kind: 'same', text });
  return [
    ...a.slice(0, start).map(same),
    ...diffMiddle(
      a.slice(start, a.length - end),
      b.slice(start, b.length - end)
    ),
    ...a.slice(a.length - end).map(same)
  ];
}

function diffMiddle(a: readonly string[], b: readonly string[]): IDiffLine[] {
  const longest = tabulate(a, b);
  const lines: IDiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const old = a[i];
    const young = b[j];
    if (old !== undefined && old === young) {
      lines.push({ kind: 'same', text: old });
      i += 1;
      j += 1;
    } else if (
      old !== undefined &&
      (young === undefined || at(longest, i + 1, j) >= at(longest, i, j + 1))
    ) {
      lines.push({ kind: 'removed', text: old });
      i += 1;
    } else if (young !== undefined) {
      lines.push({ kind: 'added', text: young });
      j += 1;
    }
  }
  return lines;
}

/** For each pair of places, how many lines their remainders have in common. */
function tabulate(a: readonly string[], b: readonly string[]): number[][] {
  const longest = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0)
  );
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = longest[i];
    for (let j = b.length - 1; row !== undefined && j >= 0; j -= 1) {
      row[j] =
        a[i] === b[j]
          ? at(longest, i + 1, j + 1) + 1
          : Math.max(at(longest, i + 1, j), at(longest, i, j + 1));
    }
  }
  return longest;
}

function at(table: readonly number[][], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
