import type { Block, Table } from '../text/blocks.ts';
import { sanitize } from '../text/sanitize.ts';

/** The two-column table of map dumps: further values of a key stand in rows of their own. */
export function pairTable(
  [left, right]: readonly [string, string],
  pairs: Iterable<readonly [key: string, values: readonly string[]]>,
): Table {
  const blocks = [...pairs].map(
    ([key, values]): Block => ({
      key,
      lines: values.map((value, i) => `${i === 0 ? sanitize(key) : ''}\t${sanitize(value)}\t`),
    }),
  );
  return { headers: [`${left}\t${right}`], blocks };
}
