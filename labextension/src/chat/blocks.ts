import { Lexer, Marked } from 'marked';

/** A part of a Markdown text that is rendered on its own. */
export interface IBlock {
  /** Where it begins in the text; tells it from the others while the text grows. */
  readonly start: number;
  readonly source: string;
}

/** Formulas may hold blank lines and what looks like Markdown. */
const FORMULA = /^(?:\$\$[\s\S]+?\$\$|\\\[[\s\S]+?\\\])/;
const OPEN_FORMULA = /^(?:\$\$(?![\s\S]*\$\$)|\\\[(?![\s\S]*\\\]))[\s\S]*/;

const parser = new Marked({
  extensions: [
    {
      name: 'formula',
      level: 'block',
      start: source => {
        const found = source.search(/\$\$|\\\[/);
        return found < 0 ? undefined : found;
      },
      tokenizer: source => {
        const raw = (FORMULA.exec(source) ?? OPEN_FORMULA.exec(source))?.[0];
        return raw === undefined ? undefined : { type: 'formula', raw };
      }
    }
  ]
});

/**
 * Splits a growing Markdown text into blocks.
 *
 * What is added to a text can change its last block only, so that all others keep
 * their identity and are not rendered again.
 */
export class BlockSplitter {
  /** Split a text, which mostly begins with the one before. */
  split(text: string): readonly IBlock[] {
    if (text === this._text) {
      return this._blocks;
    }
    const kept = text.startsWith(this._text) ? this._blocks.slice(0, -1) : [];
    const from = kept.length === 0 ? 0 : (this._blocks.at(-1)?.start ?? 0);
    this._text = text;
    this._blocks = [...kept, ...parse(text, from)];
    return this._blocks;
  }

  private _blocks: readonly IBlock[] = [];
  private _text = '';
}

function parse(text: string, from: number): IBlock[] {
  const blocks: IBlock[] = [];
  let start = from;
  for (const { type, raw } of new Lexer(parser.defaults).blockTokens(
    text.slice(from).replaceAll('\r', ' ')
  )) {
    if (type !== 'space') {
      blocks.push({ start, source: raw });
    }
    start += raw.length;
  }
  return blocks;
}
