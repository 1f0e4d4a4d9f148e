/** Fences and code spans, also those that are still open. */
const CODE =
  /(?<fence>`{3,}|~{3,})[\s\S]*?(?:\k<fence>|$)|(?<ticks>``?)(?!`)[\s\S]*?(?:(?<!`)\k<ticks>(?!`)|(?=\n[ \t]*\n)|$)/;
const DOLLARS = /\$\$[\s\S]*?\$\$/;
const BRACKETS =
  /(?<!\\)\\(?:\((?<inline>[\s\S]*?)\\\)|\[(?<display>[\s\S]*?)\\\])/;
const BEGINNING = /\n(?<beginning> {0,3}(?:\$\$|\\\[))/;

const FORMULAS = either(CODE, DOLLARS, BRACKETS);
const BEGINNINGS = either(CODE, BEGINNING);

/**
 * Write formulas as JupyterLab reads them.
 *
 * Models write `\(…\)` and `\[…\]`, which Markdown takes for escaped brackets;
 * JupyterLab looks for two backslashes.
 */
export function withFormulas(source: string): string {
  return source.replace(FORMULAS, (whole, ...rest) => {
    const { inline, display } = rest.at(-1) as Record<
      string,
      string | undefined
    >;
    if (inline !== undefined) {
      return `\\\\(${inline}\\\\)`;
    }
    return display === undefined ? whole : `\\\\[${display}\\\\]`;
  });
}

/** A text up to the line in its first paragraph that begins a formula, if one does. */
export function upToFormula(text: string): string {
  const [paragraph = ''] = text.split(/\n[ \t]*\n/, 1);
  for (const { index, groups } of paragraph.matchAll(BEGINNINGS)) {
    if (groups?.['beginning'] !== undefined) {
      return text.slice(0, index + 1);
    }
  }
  return text;
}

function either(...expressions: readonly RegExp[]): RegExp {
  return new RegExp(expressions.map(({ source }) => source).join('|'), 'g');
}
