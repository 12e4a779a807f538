/** A run of so many digits may be a number that a double cannot hold. */
const LONG = 16;
/** The digits may also stand in a string, which only costs the slower parse. */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

/** What nests deeper is no answer and no file of ours, and would exhaust the stack of whoever walks it. */
export const MAX_DEPTH = 1000;

/** Text of JSON that nests deeper than MAX_DEPTH. */
export class TooDeep extends SyntaxError {
  override name = 'TooDeep';
  constructor(
    /** Where the first part that is too deep begins. */
    readonly offset: number,
  ) {
    super(`the parts of the JSON are nested more than ${MAX_DEPTH} deep`);
  }
}

/**
 * Parses JSON. A whole number beyond 2^53 becomes a bigint with all its digits, any other number a number. Throws
 * SyntaxError, and TooDeep for text that nests deeper than MAX_DEPTH.
 */
export function parseJson(text: string): unknown {
  refuseDeep(text);
  return hasLongDigits(text) && LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/**
 * The items of a list, each parsed when it is asked for, so that the others take no memory. Throws SyntaxError as `parseJson`
 * does, and where no list stands.
 */
export function* parseItems(text: string): Generator<unknown, void> {
  const long = hasLongDigits(text) && LONG_NUMBER.test(text);
  const item = (from: number, to: number): unknown => {
    const own = text.slice(from, to);
    return long ? JSON.parse(own, keepDigits) : JSON.parse(own);
  };
  let from = /^[ \t\n\r]*\[/.exec(text)?.[0].length ?? 0;
  if (from === 0) throw new SyntaxError('the JSON is no list');
  const isEmpty = /[ \t\n\r]*\]/y;
  isEmpty.lastIndex = from;
  if (isEmpty.test(text)) from = isEmpty.lastIndex;
  else
    for (let isLast = false; !isLast; ) {
      const end = endOfItem(text, from);
      isLast = text[end] === ']';
      if (text[end] === '}') throw new SyntaxError('an object ends that did not begin');
      yield item(from, end);
      from = end + 1;
    }
  if (/[^ \t\n\r]/.test(text.slice(from))) throw new SyntaxError('something follows the list');
}

/** The comma or bracket behind an item of a list. */
function endOfItem(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth >= MAX_DEPTH) throw new TooDeep(at);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (--depth < 0) return at;
        break;
      case 0x2c: // ,
        if (depth === 0) return at;
    }
  }
  throw new SyntaxError('the list does not end');
}

/** As JSON.parse, which takes any depth: throws TooDeep for text that nests deeper than MAX_DEPTH. */
export function parsePlainJson(text: string): unknown {
  refuseDeep(text);
  return JSON.parse(text);
}

function refuseDeep(text: string): void {
  if (text.length < 2 * MAX_DEPTH) return;
  let depth = 0;
  const end = text.length;
  // A switch over literals takes an eighth of the time of the parser, named constants half of it.
  for (let at = 0; at < end; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) throw new TooDeep(at);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
}

/** The quote that ends the string which begins at a quote; the end of the text when none does. */
export function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

/** Every run of 16 digits has one at a multiple of 16, so it is enough to look at every 16th character. */
function hasLongDigits(text: string): boolean {
  for (let at = 0; at < text.length; at += LONG) {
    if (!isDigit(text, at)) continue;
    let [from, to] = [at, at + 1];
    while (from > 0 && isDigit(text, from - 1)) from--;
    while (isDigit(text, to)) to++;
    if (to - from >= LONG) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

function keepDigits(_key: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  const cut = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
  return cut ? BigInt(source) : value;
}

/** Part of JavaScript since 2025, which the type library lacks. */
const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };

/** As JSON.stringify, with a bigint as a number of as many digits as it takes. */
export function formatJson(value: unknown, indent?: number | string): string | undefined {
  // A replacer doubles the time: only values that need one get it.
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(
      value,
      (_key, item: unknown) => (typeof item === 'bigint' ? rawJSON(String(item)) : item),
      indent,
    );
  }
}
