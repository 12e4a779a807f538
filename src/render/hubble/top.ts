import type { Ranking } from '../../model/ranking.ts';
import { renderTable, type Table } from '../text/blocks.ts';
import { fitTable } from '../text/fit.ts';
import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** A ranking as a table, keys first; with rates when it was counted for `seconds` of live traffic. */
export function topTable({ keys, rows, total }: Ranking, seconds?: number): Table {
  const heads = [
    ...keys.map((name) => name.toUpperCase()),
    'FLOWS',
    'SHARE',
    ...(seconds === undefined ? [] : ['RATE']),
    'FIRST SEEN',
    'LAST SEEN',
  ];
  const blocks = rows.map((row) => {
    const cells = [
      ...row.values.map(sanitizeCell),
      `${row.count}${row.error > 0 ? ` (-${row.error})` : ''}`,
      `${((100 * row.count) / Math.max(1, total)).toFixed(1)}%`,
      ...(seconds === undefined ? [] : [`${(row.count / Math.max(1, seconds)).toFixed(1)}/s`]),
      clockText(row.firstMs),
      clockText(row.lastMs),
    ];
    return { key: row.values.join('\t'), lines: [cells.join('\t')] };
  });
  const extra = [heads.length - 2, heads.length - 1];
  return { headers: [heads.join('\t')], blocks, stop: { minWidth: 2, padding: 3 }, extra, isOurs: true };
}

/** How many flows were counted, and what the counts are not. */
export function topNote({ total, folded, overflow }: Ranking): string {
  const replies = folded > 0 ? `, of which ${folded} are replies, counted with what they answer` : '';
  const doubt =
    overflow === undefined
      ? ''
      : `; more than ${overflow} keys: counts are upper bounds, (-n) is how much lower they may be`;
  return `${total} flows${replies}${doubt}`;
}

/** The whole of a ranking as text. */
export function renderTop(ranking: Ranking, width?: number): string {
  const table = topTable(ranking);
  return `${renderTable(width === undefined ? table : fitTable(table, width))}\n${topNote(ranking)}\n`;
}

function clockText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** A ranking as one JSON object. */
export function renderTopJson({ keys, rows, total, folded, overflow }: Ranking): string {
  const objects = rows.map(({ values, count, error, firstMs, lastMs }) => ({
    ...Object.fromEntries(keys.map((name, i) => [name, values[i]])),
    count,
    ...(error > 0 && { count_error: error }),
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
  }));
  return `${goJson({ total, replies: folded, estimated: overflow !== undefined, rows: objects }, 2)}\n`;
}
