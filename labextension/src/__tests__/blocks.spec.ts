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
    expect(sources(TEXT.join(''))).toEqual(
      TEXT.map(part => part.trim().replace(/\\(?=[[\]])/g, '\\\\'))
    );
  });

  it.each([
    TEXT.join(''),
    'With `a`:\n\\[x^2\\], where\nx `$\n$$` is\n\n- x',
    'Look:\n$$\n- a\n$$\nSo.\n\n[a]: b\n[a]: c\n\nThe end.'
  ])('comes to the same, letter by letter: %j', text => {
    const splitter = new BlockSplitter();

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
    expect(after[1]).toMatchObject({ start: 6, source: 'Two and a half' });
  });

  it('begins anew with a text that does not go on', () => {
    const splitter = new BlockSplitter();
    splitter.split('One.\n\nTwo.');

    expect(splitter.split('Three.')).toMatchObject([
      { start: 0, source: 'Three.' }
    ]);
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

  it.each([
    'The regex `\\[a-z\\]` matches.',
    'Use `$$` for the PID.\n\nAnd go on.',
    'A span `of two\n$$ lines` stays.',
    'A span `of two\n\\[a-z\\] lines` and\n\n```sh\necho $$ \\(a\\)\n```',
    '- item\n\n  ~~~\n  \\(a\\)\n  ~~~'
  ])('leaves code alone: %j', text => {
    expect(sources(text).join('\n\n')).toBe(text);
  });

  it('takes a formula out of the lines above', () => {
    expect(sources('Look:\n$$\n- a\n$$\nSo.')).toEqual([
      'Look:',
      '$$\n- a\n$$',
      'So.'
    ]);
    expect(sources('With `a`:\n\\[x^2\\], where\n\n- x')).toEqual([
      'With `a`:',
      '\\\\[x^2\\\\], where',
      '- x'
    ]);
  });

  it('writes formulas as JupyterLab reads them', () => {
    expect(sources('So \\(a\\) and `b` is \\[\\frac{c}{d}\\].')).toEqual([
      'So \\\\(a\\\\) and `b` is \\\\[\\frac{c}{d}\\\\].'
    ]);
  });

  it.each([
    '$$\na \\\\[4pt] b \\]\n$$',
    '$$\\text{if \\(x\\)}$$',
    'It is \\\\(escaped\\\\).'
  ])('leaves formulas alone that JupyterLab reads: %j', text => {
    expect(sources(text)).toEqual([text]);
  });

  it('gives links their address, wherever it stands', () => {
    const text =
      'See [the page][One] and [2].\n\nNothing.\n\n' +
      '```py\nx[2]\n```\n\n[one]: http://a/1\n[2]: http://a/2 "Two"\n[2]: no';

    expect(sources(text)).toEqual([
      'See [the page][One] and [2].\n\n[one]: http://a/1\n[2]: http://a/2 "Two"\n[2]: no',
      'Nothing.',
      '```py\nx[2]\n```'
    ]);
  });

  it('knows where it is after two addresses with one label', () => {
    const text = '[a]: b\n[a]: c\n\nThe end.';
    const splitter = new BlockSplitter();
    splitter.split(text);

    expect(splitter.split(`${text}.`)).toMatchObject([
      { start: text.indexOf('The'), source: 'The end..' }
    ]);
  });

  it('has no blocks where there is no text', () => {
    expect(sources('')).toEqual([]);
    expect(sources('\n\n')).toEqual([]);
  });
});
