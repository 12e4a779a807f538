import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';

/** A decoded JSON value as Go's `%v` prints it: `<nil>`, `[a b]`, `map[k:v]`. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isRecord(value)) return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => compareBytes(a, b));
  return `map[${entries.map(([key, entry]) => `${key}:${goValue(entry)}`).join(' ')}]`;
}

/** The same value with the keys of every object in Go's order of map keys. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => compareBytes(a, b))
      .map(([key, entry]) => [key, sortKeys(entry)]),
  );
}
