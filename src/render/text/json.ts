import { formatJson } from '../../lib/exact-json.ts';
import { escapeHtml } from '../../lib/go-html.ts';
import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import { STEERING } from './sanitize.ts';

/**
 * JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped, a bigint is a number of as many
 * digits as it takes. So are, beyond Go, the controls above 0x7e and the characters that reorder a line: the value is
 * the same, and it steers no terminal. No newline at the end.
 */
export function goJson(value: unknown, indent?: number | string): string {
  return escapeSteering(escapeHtml(formatJson(value, indent) ?? 'null'));
}

/** The same of values in which keys may be numbers. */
export function goMapJson(value: unknown, indent?: number | string): string {
  const text = goJson(value, indent);
  if (!NUMBER_AS_KEY.test(text)) return text;
  const most = (text.match(MARKS) ?? []).reduce((length, run) => Math.max(length, run.length), 0);
  const count = most / WRITTEN_MARK.length + 1;
  const written = goJson(marked(value, MARK.repeat(count)), indent);
  return written.replaceAll(`"${WRITTEN_MARK.repeat(count)}`, '"');
}

const NUMBER_AS_KEY = /[{,]\s*"\d+":/;
/** Stands in front of a key while it is written, once more than anywhere in the value. */
const MARK = '\u0001';
const WRITTEN_MARK = '\\u0001';
const MARKS = /(?:\\u0001)+/g;

/** Go sorts the keys of a map as texts, numbers too, which JavaScript puts first: those are marked until they are written. */
function marked(value: unknown, mark: string): unknown {
  if (Array.isArray(value)) return value.map((item) => marked(item, mark));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, marked(item, mark)]);
  if (!entries.some(([key]) => /^\d+$/.test(key))) return Object.fromEntries(entries);
  entries.sort(([a], [b]) => compareBytes(a, b));
  return Object.fromEntries(entries.map(([key, item]) => [mark + key, item]));
}

/** Escapes within JSON what a terminal would act upon. */
export function escapeSteering(json: string): string {
  return json.replace(STEERING, unicodeEscape);
}

function unicodeEscape(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
