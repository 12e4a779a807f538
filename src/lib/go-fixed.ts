/** Beyond them a double is whole. */
const MOST_DIGITS = 60;

/** A number with so many digits behind the point, as Go's `%.2f`: what lies in the middle goes to the even digit. */
export function goFixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}.${'0'.repeat(digits)}`;
  const exact = value.toFixed(MOST_DIGITS);
  const cut = exact.length - MOST_DIGITS + digits;
  const isEven = /[02468]$/.test(exact.slice(0, cut));
  return isEven && /^50*$/.test(exact.slice(cut)) ? exact.slice(0, cut) : value.toFixed(digits);
}
