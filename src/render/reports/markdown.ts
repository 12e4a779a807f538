import { formatPosition } from '../../model/finding.ts';
import { type Check, type Remark, type Report, remarksOf, resultsOf } from '../../model/report.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import type { Locate } from './place.ts';

/** A comment of GitHub has room for 65,536 characters; more rows than these nobody reads there. */
const MAX_ROWS = 100;
const MAX_CHARACTERS = 50_000;

/** Markdown for a comment on a merge request or a step's summary: what was found, in a table. */
export function renderMarkdown(report: Report, locate: Locate): string {
  const rows = remarksOf(report).map(({ check, remark }) => rowOf(check, remark, locate));
  const shown: string[] = [];
  let size = 0;
  for (const row of rows) {
    size += row.length;
    if (shown.length >= MAX_ROWS || size > MAX_CHARACTERS) break;
    shown.push(row);
  }
  const rest = rows.length - shown.length;
  const parts = [
    `### ${words(headline(report))}`,
    ...(report.summary?.length ? [report.summary.map(words).join('  \n')] : []),
    ...(shown.length > 0 ? [['| | Where | What | Rule |', '|---|---|---|---|', ...shown].join('\n')] : []),
    ...(rest > 0 ? [`… and ${rest} more.`] : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function headline(report: Report): string {
  const { failed, unknown, skipped } = resultsOf(report);
  const all = report.checks.length;
  const what = all === 1 ? 'check' : 'checks';
  const parts = [
    failed > 0 ? `${failed} of ${all} ${what} failed` : `${all - unknown - skipped} of ${all} ${what} passed`,
    ...(unknown > 0 ? [`${unknown} could not be made`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return `${report.tool}: ${parts.join(', ')}`;
}

function rowOf({ name }: Check, { level, rule, message, hint, position }: Remark, locate: Locate): string {
  const place = position && locate(position.file);
  const where =
    position && place && place.kind !== 'object'
      ? formatPosition({ ...position, file: place.name })
      : (place?.name ?? name);
  const what = [message, ...(hint ? [hint] : [])].map(words).join('<br>');
  return `| ${level} | ${code(where)} | ${what} | ${code(rule)} |`;
}

/** Text that means nothing to Markdown. A space without width keeps a name from being told. */
function words(text: string): string {
  return sanitizeCell(text.toWellFormed())
    .replace(/[\\`*_{}[\]<>#|~!&$^]/g, '\\$&')
    .replaceAll('@', '@\u200b');
}

/** Text as code, in a fence that it does not hold itself. */
function code(text: string): string {
  const plain = sanitizeCell(text.toWellFormed()).replaceAll('|', '\\|');
  const longest = Math.max(0, ...Array.from(plain.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = /^`|`$|^ .* $/.test(plain) ? ' ' : '';
  return `${fence}${pad}${plain}${pad}${fence}`;
}
