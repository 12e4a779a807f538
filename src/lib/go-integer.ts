/** A number as Go's ParseInt with base 0 reads it: with `0x` and other prefixes, and `_` between digits; undefined when it is none. */
export function parseGoInteger(text: string): number | undefined {
  const n = Number(parseGoUint(text.replace(/^[+-]/, '')) ?? Number.NaN);
  return Number.isSafeInteger(n) ? (text.startsWith('-') ? -n : n) : undefined;
}

/** A number as Go's ParseUint with base 0 reads it, whatever its size: with prefixes, and `_` between digits; undefined when it is none. */
export function parseGoUint(text: string): bigint | undefined {
  const isOne =
    /^(?:0|[1-9](?:_?\d)*|0(?:_?[0-7])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+)$/.test(
      text,
    );
  if (!isOne) return undefined;
  const digits = text.replaceAll('_', '');
  return BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
}
