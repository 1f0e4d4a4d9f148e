import { describe, expect, it } from 'vitest';

import { BlockSplitter } from '../chat/blocks';

const TEXT = [
  '# Title\n\n',
  'A paragraph\nof two lines.\n\n',
  '- one\n- two\n\n  more of two\n\n',
  '```python\nx = 1\n\n# not a title\n```\n\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
  '$$\nx = 1\n\n- y\n$$\n\n',
  '\\[\na\n\nb\n\\]\n\n',
  '> said\n\n',
  'The end.'
];

function sources(text: string): string[] {
  return new BlockSplitter().split(text).map(({ source }) => source.trim());
}

describe('BlockSplitter', () => {
  it('splits where a block ends, and nowhere else', () => {
    expect(sources(TEXT.join(''))).toEqual(TEXT.map(part => part.trim()));
  });

  it('comes to the same, letter by letter', () => {
    const splitter = new BlockSplitter();
    const text = TEXT.join('');

    for (let end = 1; end <= text.length; end += 1) {
      const grown = splitter.split(text.slice(0, end));
      expect(grown.map(({ start }) => start)).toEqual(
        new BlockSplitter().split(text.slice(0, end)).map(({ start }) => start)
      );
    }
  });

  it('leaves all but the last block as they are', () => {
    const splitter = new BlockSplitter();
    const before = splitter.split('One.\n\nTwo');

    const after = splitter.split('One.\n\nTwo and a half');

    expect(after[0]).toBe(before[0]);
    expect(after[1]).toEqual({ start: 6, source: 'Two and a half' });
  });

  it('begins anew with a text that does not go on', () => {
    const splitter = new BlockSplitter();
    splitter.split('One.\n\nTwo.');

    expect(splitter.split('Three.')).toEqual([{ start: 0, source: 'Three.' }]);
  });

  it('keeps a formula that is still open together', () => {
    expect(sources('Look:\n\n$$\na\n\n- b')).toEqual(['Look:', '$$\na\n\n- b']);
  });

  it('does not take two prices for a formula', () => {
    expect(sources('It costs $5.\n\nOr $6.')).toEqual([
      'It costs $5.',
      'Or $6.'
    ]);
  });

  it('has no blocks where there is no text', () => {
    expect(sources('')).toEqual([]);
    expect(sources('\n\n')).toEqual([]);
  });
});
