import { exactAt, hasExact } from '../../lib/exact-json.ts';
import { escapeHtml } from '../../lib/go-html.ts';

/**
 * JSON as Go's encoder writes it: `<`, `>`, `&` and the line separators are escaped, a bigint is a number of as many
 * digits as it takes. So are, beyond Go, the controls above 0x7e and the characters that reorder a line: the value is
 * the same, and it steers no terminal. No newline at the end.
 */
export function goJson(value: unknown, indent?: number | string): string {
  return escapeSteering(escapeHtml(stringify(value, indent) ?? 'null'));
}

/** Escapes within JSON what a terminal would act upon. */
export function escapeSteering(json: string): string {
  return json.replace(STEERING, unicodeEscape);
}

const STEERING = /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

function unicodeEscape(c: string): string {
  return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON.stringify refuses bigints, and a replacer doubles its time: only values that need one get it. */
function stringify(value: unknown, indent?: number | string): string | undefined {
  if (hasExact()) return JSON.stringify(value, digits, indent);
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, digits, indent);
  }
}

/** Part of JavaScript since 2025, which the type library lacks. */
const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };

function digits(this: object, key: string, value: unknown): unknown {
  const exact = exactAt(this, key, value);
  return typeof exact === 'bigint' ? rawJSON(String(exact)) : value;
}
