import type { CheckRow } from '../../cluster/preflight/checks.ts';
import type { Palette } from '../text/palette.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** What was looked at before an upgrade, and what to do. */
export function renderPreflight(rows: readonly CheckRow[], palette: Palette): string {
  const lines = rows.flatMap(({ check, object, result, text, todo }) => [
    [result, check, object || '-', text].map(sanitizeCell).join('\t'),
    ...(todo === undefined ? [] : [`\t\t\t  ${sanitizeCell(todo)}`]),
  ]);
  const table = tabulate(
    `RESULT\tCHECK\tOBJECT\tTEXT\n${lines.map((line) => `${line}\n`).join('')}`,
    LIST_TABLE,
  );
  return table
    .replace(/^fail(?= )/gm, () => palette.bad('fail'))
    .replace(/^(?:warn|unknown)(?= )/gm, (word) => palette.warn(word));
}
