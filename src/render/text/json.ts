import { formatJson } from '../../lib/exact-json.ts';
import { escapeHtml } from '../../lib/go-html.ts';
import { STEERING } from './sanitize.ts';

/**
 * JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped, a bigint is a number of as many
 * digits as it takes. So are, beyond Go, the controls above 0x7e and the characters that reorder a line: the value is
 * the same, and it steers no terminal. No newline at the end.
 */
export function goJson(value: unknown, indent?: number | string): string {
  return escapeSteering(escapeHtml(formatJson(value, indent) ?? 'null'));
}

/** Escapes within JSON what a terminal would act upon. */
export function escapeSteering(json: string): string {
  return json.replace(STEERING, unicodeEscape);
}

function unicodeEscape(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
