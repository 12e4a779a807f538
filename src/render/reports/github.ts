import { countsText, type Level, type Report, remarksOf } from '../../model/report.ts';
import { sanitize } from '../text/sanitize.ts';
import type { Locate } from './place.ts';

const COMMANDS: Readonly<Record<Level, string>> = { error: 'error', warning: 'warning', note: 'notice' };

/** Workflow commands of GitHub, which become annotations, and a last line with the counts. */
export function renderGithub(report: Report, locate: Locate): string {
  const lines = remarksOf(report).map(
    ({ check, remark: { level, rule, message, hint, details = [], position } }) => {
      const place = position && locate(position.file);
      const isFile = place !== undefined && place.kind !== 'object';
      const properties: [string, string][] = [['title', `${report.tool}: ${rule}`]];
      if (position && isFile)
        properties.unshift(
          ['file', place.name],
          ['line', String(position.line)],
          ['col', String(position.column)],
        );
      const given = properties.map(([key, value]) => `${key}=${property(value)}`).join(',');
      const what = isFile ? message : `${place?.name ?? check.name}: ${message}`;
      return `::${COMMANDS[level]} ${given}::${data([what, ...(hint ? [hint] : []), ...details].join('\n'))}`;
    },
  );
  return `${[...lines, `${report.tool}: ${countsText(report)}`].join('\n')}\n`;
}

/** The runner turns these three back; all else it shows as it is. */
function data(text: string): string {
  return sanitize(text.toWellFormed()).replace(/[%\r\n]/g, escaped);
}

function property(text: string): string {
  return sanitize(text.toWellFormed()).replace(/[%\r\n:,]/g, escaped);
}

function escaped(c: string): string {
  return `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
