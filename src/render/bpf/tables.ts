import { sanitize } from '../text/sanitize.ts';
import { LIST_TABLE, type TabStop, tabulate } from '../text/table.ts';

/** The two-column table of map dumps: further values of a key stand in rows of their own. */
export function renderPairs(
  [left, right]: readonly [string, string],
  pairs: Iterable<readonly [key: string, values: readonly string[]]>,
): string {
  const lines = [`${left}\t${right}`];
  for (const [key, values] of pairs)
    values.forEach((value, i) => {
      lines.push(`${i === 0 ? sanitize(key) : ''}\t${sanitize(value)}\t`);
    });
  return tabulate(`${lines.join('\n')}\n`, LIST_TABLE);
}

/** A table whose last column is not padded. */
export function renderRows(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  stop: TabStop = LIST_TABLE,
): string {
  const lines = [header, ...rows].map((cells) => cells.map(sanitize).join('\t'));
  return tabulate(`${lines.join('\n')}\n`, stop);
}
