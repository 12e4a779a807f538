const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const CONTROLS = new RegExp(CONTROL.source, 'g');
const IN_CELL = new RegExp(`[\t\n]|${CONTROL.source}`);

/**
 * Makes text from the cluster safe for a terminal: ESC becomes `^[`, CR `\r`, other control bytes and the
 * characters that reorder a line `\xNN` or `\uNNNN`. Tab and newline stay: tables give them their meaning.
 */
export function sanitize(text: string): string {
  return CONTROL.test(text) ? text.replace(CONTROLS, escapeControl) : text;
}

/** As `sanitize`, for one cell of a table: tab and newline are escaped too. */
export function sanitizeCell(text: string): string {
  return IN_CELL.test(text) ? sanitize(text).replace(/[\t\n]/g, (c) => (c === '\t' ? '\\t' : '\\n')) : text;
}

function escapeControl(c: string): string {
  if (c === '\u001b') return '^[';
  if (c === '\r') return '\\r';
  const code = c.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** As `sanitize`, for text that may be coloured: sequences that only choose colours and weights stay. */
export function sanitizeStyled(text: string): string {
  return text
    .split(/(\u001b\[[0-9;]*m)/)
    .map((part, i) => (i % 2 === 0 ? sanitize(part) : part))
    .join('');
}
