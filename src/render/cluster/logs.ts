import { formatJson } from '../../lib/exact-json.ts';
import { formatTimestamp, parseTimestamp } from '../../lib/timestamp.ts';
import type { LogLevel, LogLine, LogOrigin } from '../../model/log-line.ts';
import type { Palette } from '../text/palette.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** A line for people: time, level, part of the program, message, and what else it says. */
export function renderLogLine(time: string, line: LogLine, palette: Palette): string {
  const at = palette.dim(shortTime(time));
  // Stack traces are indented by tabs.
  if (line.form === 'plain') return `${at}  ${sanitizeCell(line.message.replaceAll('\t', '    '))}\n`;
  const level = leveled(line.level, palette);
  const subsystem = line.subsystem ? `[${sanitizeCell(line.subsystem)}] ` : '';
  const fields = line.fields.map(([name, value]) => ` ${palette.dim(fieldOf(name, value))}`);
  return `${at}  ${level}  ${subsystem}${sanitizeCell(line.message)}${fields.join('')}\n`;
}

/** To the millisecond, in UTC, so that lines of nodes in different zones compare. */
function shortTime(time: string): string {
  const at = parseTimestamp(time);
  if (!at) return time;
  const ms = Math.floor(at.nanos / 1e6);
  return `${formatTimestamp({ seconds: at.seconds, nanos: 0 }).replace('Z', '')}.${String(ms).padStart(3, '0')}Z`;
}

function leveled(level: LogLevel | undefined, palette: Palette): string {
  const text = (level ?? '-').padEnd(5);
  if (level === 'error' || level === 'fatal') return palette.bad(text);
  if (level === 'warn') return palette.warn(text);
  return level === 'debug' || level === 'trace' ? palette.dim(text) : text;
}

function fieldOf(name: string, value: unknown): string {
  if (name === '') return sanitizeCell(String(value));
  const text = typeof value === 'string' ? value : (formatJson(value) ?? '');
  const isPlain = /^[^\s"=\\]+$/.test(text) || typeof value !== 'string';
  return `${sanitizeCell(name)}=${isPlain ? sanitizeCell(text) : sanitizeCell(JSON.stringify(text))}`;
}

/** A line as an object: where it is from, what it says, and the fields of the program's own. */
export function renderLogJson(origin: LogOrigin, time: string, line: LogLine): string {
  const { level, subsystem, message, fields } = line;
  return `${formatJson({
    time,
    ...origin,
    ...(level && { level }),
    ...(subsystem && { subsystem }),
    message,
    ...(fields.length > 0 && { fields: Object.fromEntries(fields) }),
  })}\n`;
}
