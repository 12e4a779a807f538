/** A run of so many digits may be a number that a double cannot hold. */
const LONG = 16;
/** The digits may also stand in a string, which only costs the slower parse. */
const LONG_NUMBER = /[:[,]\s*-?\d{16}/;

/** Parses JSON. A whole number beyond 2^53 becomes a bigint with all its digits, any other number a number. */
export function parseJson(text: string): unknown {
  return hasLongDigits(text) && LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
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
