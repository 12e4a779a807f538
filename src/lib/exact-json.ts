/** Whole numbers that a double cannot hold, by the object or list that they stand in and their key there. */
const EXACT = new WeakMap<object, Map<string, bigint>>();
let any = false;

/** A number of so many digits may not fit. */
const LONG = 16;
/** Whether digits are a number is not certain: they may stand in a text, which only costs the slower parse. */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

/**
 * Parses JSON, and keeps the digits of whole numbers beyond 2^53 aside: the value holds ordinary numbers, and
 * `exactAt` gives the exact ones to whoever prints them. Copies of an object know only its rounded numbers.
 */
export function parseJson(text: string): unknown {
  return hasLongDigits(text) && LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
}

/** Every run of 16 digits has one at a multiple of 16, so a look at every 16th character finds it. */
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

/** What `holder` has under `key`: a bigint where the number in the text was longer than `value` can be. */
export function exactAt(holder: object, key: string | number, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  return EXACT.get(holder)?.get(String(key)) ?? value;
}

/** Whether any number was kept aside at all. */
export function hasExact(): boolean {
  return any;
}

function keepDigits(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const { source = '' } = context ?? {};
  if (!/^-?\d+$/.test(source) || typeof this !== 'object' || this === null) return value;
  const own = EXACT.get(this) ?? new Map<string, bigint>();
  EXACT.set(this, own.set(key, BigInt(source)));
  any = true;
  return value;
}
