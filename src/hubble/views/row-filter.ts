/**
 * The expression that means the flows of one row of a ranking: `src.host = "shop/web" and dst.port = 80`. A value that no
 * flow of the row has is one that must not be set.
 */
export function rowFilter(keys: readonly string[], values: readonly string[]): string {
  return keys
    .map((key, i) => {
      const value = values[i] ?? '-';
      if (value === '-') return `not ${key}`;
      return `${key} = ${wordOf(value)}`;
    })
    .join(' and ');
}

/** A value as an expression has it: in quotes where it would be more than one word. */
export function wordOf(value: string): string {
  return /^[\w./:-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
