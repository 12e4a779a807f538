/** Control characters but tab and newline, and the characters that reorder or break a line. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const CONTROLS = new RegExp(CONTROL.source, 'g');
const IN_CELL = new RegExp(`[\t\n]|${CONTROL.source}`);
/** The same beyond ASCII and DEL: what JSON and YAML may hold as it is. */
export const STEERING = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Makes text from outside safe for a terminal: ESC becomes `^[`, CR `\r`, other control characters `\xNN`, and from DEL
 * on `\uNNNN`, which in JSON is the same value. Tab and newline stay: tables give them their meaning.
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
  return code < 0x7f
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * Stands in front of what the program itself says to a terminal. It is made anew for each run and leaves the process
 * nowhere, so that no text from outside can hold it.
 */
const OWN = `\u001b${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)};`;
const OWN_OR_CONTROL = new RegExp(`${OWN}\r?|${CONTROL.source}`, 'g');
const HARMLESS = /[\t\n\x20-\x7e]*/y;

/** A sequence of our own for the terminal, without its ESC. What else looks like one is escaped on its way out. */
export function ownSequence(rest: string): string {
  return OWN + rest;
}

/** Marks every sequence in a text of our own. */
export function ownSequences(text: string): string {
  return text.replaceAll('\u001b', OWN);
}

const OWN_SEQUENCE = new RegExp(`${OWN}(?:\\[[0-9;?]*[A-Za-z]|\r)`, 'g');

/** What a text of our own shows, without the sequences in it: as wide as it is on a screen. */
export function visible(text: string): string {
  return text.includes(OWN) ? text.replace(OWN_SEQUENCE, '') : text;
}

/** A carriage return of our own. */
export const OWN_RETURN = `${OWN}\r`;

/**
 * The door that all output goes through: own sequences become what they are, all that others could steer a terminal
 * with is escaped as in `sanitize`.
 */
export function forTerminal(text: string): string {
  // Most text is ASCII: this runs at a gigabyte a second.
  HARMLESS.lastIndex = 0;
  HARMLESS.test(text);
  if (HARMLESS.lastIndex === text.length || !CONTROL.test(text)) return text;
  return text.replace(OWN_OR_CONTROL, ownOrEscaped);
}

function ownOrEscaped(found: string): string {
  if (found.length === 1) return escapeControl(found);
  return found.endsWith('\r') ? '\r' : '\u001b';
}
