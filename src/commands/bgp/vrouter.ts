import { UserError } from '../../errors.ts';

/** Takes `vrouter ASN` off the front of the words; undefined when they do not begin with it. */
export function takeVRouter(words: readonly string[]): { asn?: number; rest: readonly string[] } {
  const [keyword, value, ...rest] = words;
  if (keyword !== 'vrouter') return { rest: words };
  if (value === undefined) throw new UserError('failed to parse vrouter ASN: missing vrouter ASN value');
  if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(Number(value)))
    throw new UserError(`failed to parse vrouter ASN: invalid vrouter ASN: "${value}" is not a number`);
  return { asn: Number(value), rest };
}
