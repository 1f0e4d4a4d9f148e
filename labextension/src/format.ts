const FIGURE_SPACE = '\u2007';
const MAX_NAME_LENGTH = 28;
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const COUNT_UNITS = ['', 'K', 'M', 'B', 'T'];

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

/** Write bytes in the unit that leaves two or three digits, such as "1.2 GB". */
export function formatBytes(bytes: number): string {
  const [value, unit] = scale(bytes, BYTE_UNITS);
  return `${value} ${unit}`;
}

/** Write a number of weights as people do, such as "1.2B". */
export function formatCount(count: number): string {
  return scale(count, COUNT_UNITS).join('');
}

/** Write a pace, such as "12 tok/s". */
export function formatPace(tokensPerSecond: number): string {
  return `${digits(tokensPerSecond)} tok/s`;
}

/** Write a time in seconds, such as "0.8 s" or "3 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) {
    return `${digits(seconds)} s`;
  }
  const minutes = Math.round(seconds / 60);
  return minutes < 90
    ? `${minutes.toString()} min`
    : `${digits(minutes / 60)} h`;
}

function scale(value: number, units: readonly string[]): [string, string] {
  let power = 0;
  let rest = value;
  while (rest >= 999.5 && power < units.length - 1) {
    rest /= 1000;
    power += 1;
  }
  return [power === 0 ? rest.toFixed(0) : digits(rest), units[power] ?? ''];
}

function digits(value: number): string {
  return value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
