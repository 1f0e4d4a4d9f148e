const FIGURE_SPACE = '\u2007';
const MAX_NAME_LENGTH = 28;

/**
 * Write a fraction as a percentage of constant width.
 *
 * Stays below 100 %: what is complete has left the state that shows progress,
 * and the third digit would move everything beside it.
 */
export function formatPercent(fraction: number): string {
  const percent = Math.min(99, Math.max(0, Math.round(fraction * 100)));
  return `${percent.toString().padStart(2, FIGURE_SPACE)} %`;
}

/**
 * Shorten a model name in its middle: its end tells a model's variants apart.
 */
export function shortenName(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) {
    return name;
  }
  const kept = MAX_NAME_LENGTH - 1;
  const head = Math.ceil(kept / 2);
  return `${name.slice(0, head)}…${name.slice(head - kept)}`;
}
