/** Characters from which on code is coloured only once it is whole. */
const LONG = 4_000;

/**
 * A block as it is shown while it grows.
 *
 * To colour code takes the longer the more there is, and is done anew with all that is
 * added; a long one would hold up the page. Without a language it keeps its place and
 * its size.
 */
export function whileGrowing(source: string): string {
  return source.length < LONG
    ? source
    : source.replace(/^( {0,3}(?:`{3,}|~{3,}))[^\n]*/, '$1');
}
