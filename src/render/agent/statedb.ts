import { formatJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** Cells longer than this are cut: some objects hold whole policies. */
const LONGEST_CELL = 200;

/** Objects as a table: one column per field, in the order in which fields first appear. */
export function objectTable(rows: readonly unknown[]): Table {
  const columns = new Set<string>();
  for (const row of rows) if (isRecord(row)) for (const key of Object.keys(row)) columns.add(key);
  const names = [...columns];
  const blocks = rows.map((row, i) => {
    const cells = isRecord(row) ? names.map((name) => cellOf(row[name])) : [cellOf(row)];
    return { key: `${cells[0] ?? ''} ${cells[1] ?? ''} ${i}`, lines: [cells.join('\t')] };
  });
  return { headers: names.length > 0 ? [names.map(sanitizeCell).join('\t')] : [], blocks };
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = sanitizeCell(typeof value === 'string' ? value : (formatJson(value) ?? ''));
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}…` : text;
}
