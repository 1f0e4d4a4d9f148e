import { describe, expect, it } from 'vitest';

import { diffLines } from '../notebook/line-diff';

const MARKS = { same: ' ', removed: '-', added: '+' };

function diff(before: string, after: string): string[] {
  return diffLines(before, after).map(
    ({ kind, text }) => `${MARKS[kind]}${text}`
  );
}

describe('diffLines', () => {
  it.each<[string, string, string[]]>([
    ['a', 'a', [' a']],
    ['a', 'b', ['-a', '+b']],
    ['a\nb\nc', 'a\nc', [' a', '-b', ' c']],
    ['a\nc', 'a\nb\nc', [' a', '+b', ' c']],
    ['a\nb\nc\nd', 'a\nx\nc\ny', [' a', '-b', '+x', ' c', '-d', '+y']],
    ['a\na', 'a', [' a', '-a']],
    ['', 'a', ['-', '+a']]
  ])('compares %j with %j', (before, after, expected) => {
    expect(diff(before, after)).toEqual(expected);
  });

  it('gives both texts back', () => {
    const before = 'import os\n\ndef f(x):\n    return x\n\nf(1)';
    const after = 'def f(x):\n    """Same."""\n    return x\n\nprint(f(1))';
    const lines = diffLines(before, after);
    const without = (kind: string): string =>
      lines
        .filter(line => line.kind !== kind)
        .map(({ text }) => text)
        .join('\n');

    expect(without('added')).toBe(before);
    expect(without('removed')).toBe(after);
  });
});
