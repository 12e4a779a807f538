import type { Ranking } from '../../model/ranking.ts';
import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

/** A ranking as a table, with rates when it was counted for `seconds` of live traffic. */
export function renderTop({ keys, rows, total, overflow }: Ranking, seconds?: number): string {
  const heads = [
    'FLOWS',
    'SHARE',
    ...(seconds === undefined ? [] : ['RATE']),
    'FIRST SEEN',
    'LAST SEEN',
    ...keys.map((name) => name.toUpperCase()),
  ];
  const lines = rows.map((row) =>
    [
      `${row.count}${row.error > 0 ? ` (-${row.error})` : ''}`,
      `${((100 * row.count) / Math.max(1, total)).toFixed(1)}%`,
      ...(seconds === undefined ? [] : [`${(row.count / Math.max(1, seconds)).toFixed(1)}/s`]),
      clockText(row.firstMs),
      clockText(row.lastMs),
      ...row.values.map(sanitizeCell),
    ].join('\t'),
  );
  const note =
    overflow === undefined
      ? `\n${total} flows\n`
      : `\n${total} flows; more than ${overflow} keys: counts are upper bounds, (-n) is how much lower they may be\n`;
  return tabulate(`${[heads.join('\t'), ...lines].join('\n')}\n`, { minWidth: 2, padding: 3 }) + note;
}

function clockText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** A ranking as one JSON object. */
export function renderTopJson({ keys, rows, total, overflow }: Ranking): string {
  const objects = rows.map(({ values, count, error, firstMs, lastMs }) => ({
    ...Object.fromEntries(keys.map((name, i) => [name, values[i]])),
    count,
    ...(error > 0 && { count_error: error }),
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
  }));
  return `${goJson({ total, estimated: overflow !== undefined, rows: objects }, 2)}\n`;
}
