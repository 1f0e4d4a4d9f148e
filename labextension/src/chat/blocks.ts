import { Lexer, Marked, Tokenizer } from 'marked';

import { upToFormula, withFormulas } from './formulas';

/** A part of a Markdown text that is rendered on its own. */
export interface IBlock {
  /** Where it begins in the text; tells it from the others while the text grows. */
  readonly start: number;
  /** What to render: its text, as JupyterLab reads it. */
  readonly source: string;
}

interface IPart extends IBlock {
  /** What Marked calls it. */
  readonly type: string;
  /** What links name it by, if it holds their address; else empty. */
  readonly label: string;
}

/** A formula, also one that is still open, and what follows it in its last line. */
const FORMULA =
  /^ {0,3}(?:\$\$(?:[\s\S]+?\$\$[^\n]*|(?![\s\S]+\$\$)[\s\S]*)|\\\[(?:[\s\S]+?\\\][^\n]*|(?![\s\S]+\\\])[\s\S]*))/;

const parser = new Marked({
  extensions: [
    {
      // May hold blank lines and what looks like Markdown.
      name: 'formula',
      level: 'block',
      tokenizer: source => {
        const raw = FORMULA.exec(source)?.[0];
        return raw === undefined ? undefined : { type: 'formula', raw };
      }
    },
    {
      // Marked passes over the second of two with the same label.
      name: 'definition',
      level: 'block',
      tokenizer(source) {
        const found = this.lexer.options.tokenizer?.def(source);
        return found && { ...found, type: 'definition' };
      }
    }
  ],
  tokenizer: {
    lheading(source) {
      return Tokenizer.prototype.lheading.call(this, upToFormula(source));
    },
    paragraph(source) {
      return Tokenizer.prototype.paragraph.call(this, upToFormula(source));
    }
  }
});

/**
 * Splits a growing Markdown text into blocks.
 *
 * What is added to a text can change its last block only, so that all others keep
 * their identity and are not rendered again; but for those with a link whose address
 * comes later.
 */
export class BlockSplitter {
  /** Split a text, which mostly begins with the one before. */
  split(text: string): readonly IBlock[] {
    if (text !== this._text) {
      const kept = text.startsWith(this._text) ? this._parts.slice(0, -1) : [];
      const from = kept.length === 0 ? 0 : (this._parts.at(-1)?.start ?? 0);
      this._text = text;
      this._parts = [...kept, ...parse(text, from)];
      this._blocks = linked(this._parts);
    }
    return this._blocks;
  }

  private _blocks: readonly IBlock[] = [];
  private _parts: readonly IPart[] = [];
  private _text = '';
}

function parse(text: string, from: number): IPart[] {
  const parts: IPart[] = [];
  let start = from;
  for (const token of new Lexer(parser.defaults).blockTokens(
    text.slice(from).replaceAll('\r', ' ')
  )) {
    const { type, raw } = token;
    if (type === 'definition') {
      parts.push({ type, start, source: raw, label: String(token['tag']) });
    } else if (type !== 'space') {
      const source = type === 'code' ? raw : withFormulas(raw);
      parts.push({ type, start, source, label: '' });
    }
    start += raw.length;
  }
  return parts;
}

/** Return what is to be seen; who names an address is given it. */
function linked(parts: readonly IPart[]): readonly IBlock[] {
  const definitions = parts.filter(({ label }) => label !== '');
  if (definitions.length === 0) {
    return parts;
  }
  return parts
    .filter(({ label }) => label === '')
    .map(part => {
      const { type, start, source } = part;
      const text = source.toLowerCase().replace(/\s+/g, ' ');
      const named = definitions
        .filter(({ label }) => type !== 'code' && text.includes(`[${label}]`))
        .map(definition => definition.source.trim());
      return named.length === 0
        ? part
        : { start, source: [source.trimEnd(), '', ...named].join('\n') };
    });
}
