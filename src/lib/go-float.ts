/** A double as Go's `%v` prints it: as few digits as tell it, with an exponent below 1e-4 and from 1e6 on, as in `1e+06`. */
export function goFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return plain(value);
  const sign = power < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Numbers of this size are written without an exponent. */
function plain(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
