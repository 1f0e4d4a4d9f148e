/** Text around a cursor. */
export interface ISurrounding {
  readonly before: string;
  readonly after: string;
}

/**
 * What a model is told of the text around the cursor: the cells before and after
 * the one with the cursor join it, and what is farthest away is left out first.
 *
 * A quarter of `limit` characters is for what comes after.
 */
export function surroundings(
  cells: {
    readonly before: readonly string[];
    readonly after: readonly string[];
  },
  cursor: ISurrounding,
  limit: number
): ISurrounding {
  const before = [...cells.before, cursor.before].join('\n\n');
  const after = [cursor.after, ...cells.after].join('\n\n');
  const forAfter = Math.min(after.length, Math.floor(limit / 4));
  return {
    before: before.slice(-Math.max(1, limit - forAfter)),
    after: after.slice(0, forAfter)
  };
}
