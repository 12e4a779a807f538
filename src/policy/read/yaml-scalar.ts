/**
 * What kubectl reads in a scalar without quotes: YAML 1.1 as sigs.k8s.io/yaml has it (go.yaml.in/yaml/v2). Dates and
 * base 60 numbers are strings there.
 */
export function plainScalar(text: string): string | number | boolean | null {
  const first = text.charCodeAt(0);
  // Only these begin anything but a string: a digit, a sign, a point, a tilde, or the first letter of a word below.
  const sign = first === 0x2b || first === 0x2d;
  if (sign || first === 0x2e || (first >= 0x30 && first <= 0x39)) {
    const number = WORDS.get(text) ?? numeral(text) ?? text;
    return typeof number === 'bigint' ? Number(number) : number;
  }
  const word = WORDS.get(text);
  return word === undefined ? text : word;
}

/** The words with a meaning. Every other form of upper and lower case is a string. */
const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (w) => [w, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((w) => [w, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((w) => [w, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((w) => [w, Number.NEGATIVE_INFINITY] as const),
]);

const INTEGER = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** A number: a bigint when it is a whole one, as Go tells them apart. Underscores may stand anywhere in it. */
function numeral(text: string): bigint | number | undefined {
  if (text.startsWith('.')) return fraction(text);
  // A quirk: the sign may also stand after `0b`.
  const plain = text.replaceAll('_', '').replace(/^0b([-+])/, '$10b');
  const [, sign = '', digits] = INTEGER.exec(plain) ?? [];
  if (digits === undefined) return FLOAT.test(plain) ? finite(plain) : undefined;
  const value = wholeNumber(digits);
  const limit = sign === '' ? MAX_UINT64 : sign === '+' ? MAX_INT64 : MAX_INT64 + 1n;
  if (value <= limit) return sign === '-' ? -value : value;
  return FLOAT.test(plain) ? finite(plain) : undefined;
}

function wholeNumber(digits: string): bigint {
  return BigInt(digits.toLowerCase().replace(/^0(?=[0-7])/, '0o'));
}

/** A number that begins with its point. Here Go's own rule for underscores holds: single ones, between digits. */
function fraction(text: string): number | undefined {
  if (!/^\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?$/.test(text)) return undefined;
  return finite(text.replaceAll('_', ''));
}

/** What no float64 can hold is a string. */
function finite(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The JSON name of a field that is written without quotes. Undefined for null, and for what does not fit in an int64. */
export function plainKey(text: string): string | undefined {
  const value = plainScalar(text);
  if (value === null) return undefined;
  if (typeof value !== 'number') return String(value);
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return infinity(value);
  const number = numeral(text) ?? value;
  if (typeof number === 'number') return floatText(number);
  return number <= MAX_INT64 ? String(number) : undefined;
}

function infinity(value: number): string {
  return value > 0 ? '.inf' : '-.inf';
}

/** As Go prints the nearest float32 in its form `g`: with an exponent from a million on. */
function floatText(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return infinity(single);
  let shortest = single;
  for (let precision = 1; precision <= 9; precision++) {
    shortest = Number(single.toPrecision(precision));
    if (Math.fround(shortest) === single) break;
  }
  const [mantissa = '', exponent = ''] = shortest.toExponential().split('e');
  if (Number(exponent) >= -4 && Number(exponent) < 6) return String(shortest);
  return `${mantissa}e${exponent.slice(0, 1)}${exponent.slice(1).padStart(2, '0')}`;
}
