import type { RecorderMaskRow, RecorderRow } from '../../model/recorder.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** `recorder list`, first part, and `recorder get`; ends with an empty line. */
export function renderRecorders(rows: readonly RecorderRow[]): string {
  const lines = ['ID\tCapture Length\tWildcard Filters\t'];
  for (const { id, captureLength, filters } of rows) {
    const lead = `${id}\t${captureLength === 0 ? 'full' : `<= ${captureLength}`}\t`;
    if (filters.length === 0) lines.push(`${lead}(none)`);
    filters.forEach(({ source, destination, protocol }, i) => {
      const cells = [source, '->', destination, protocol].map(sanitizeCell).join('\t');
      lines.push(`${i === 0 ? lead : '\t\t'}${cells}`);
    });
  }
  return tabulate(`${lines.join('\n')}\n\n`, LIST_TABLE);
}

/** `recorder list`, second part. */
export function renderMasks(rows: readonly RecorderMaskRow[]): string {
  const lines = rows.map(({ users, priority, source, destination, protocol }) =>
    [String(users), String(priority), source, '->', destination, protocol].map(sanitizeCell).join('\t'),
  );
  return tabulate(`${['Users\tPriority   \tWildcard Masks\t', ...lines].join('\n')}\n`, LIST_TABLE);
}
