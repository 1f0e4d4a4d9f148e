/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text, or what stands for none. */
export function text(value: unknown): string;
export function text<T>(value: unknown, none: T): string | T;
export function text(value: unknown, none: unknown = ''): unknown {
  return typeof value === 'string' ? value : none;
}

/** The number, or null. */
export function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** The list's elements, each read; none where it is no list. */
export function list<T>(value: unknown, read: (item: unknown) => T): T[] {
  return Array.isArray(value) ? value.map(read) : [];
}

/** The texts of a list. */
export function texts(value: unknown): string[] {
  return list(value, item => text(item));
}
