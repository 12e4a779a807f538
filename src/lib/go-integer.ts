/** A number as Go's ParseInt with base 0 reads it (`0x` and `0b` prefixes allowed); undefined when it is none. */
export function parseGoInteger(text: string): number | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.exec(text);
  if (!match?.[2]) return undefined;
  const digits = /^0[0-7]/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
  const n = Number(digits);
  return Number.isSafeInteger(n) ? (match[1] === '-' ? -n : n) : undefined;
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
