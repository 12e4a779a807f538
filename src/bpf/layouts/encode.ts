/** Bytes of keys and values that verbs write. Addresses are checked where they come in. */
import { UserError } from '../../errors.ts';
import { parseIp as ipBytes, parseCidr } from '../../lib/cidr.ts';

/** An address as bytes: 4 or 16. */
export interface Ip {
  bytes: Buffer;
  family: 4 | 6;
}

/** Parses an address. */
export function parseIp(text: string): Ip {
  const bytes = ipBytes(text);
  if (bytes) return { bytes: Buffer.from(bytes), family: bytes.length === 4 ? 4 : 6 };
  throw new UserError(`"${text}" is no IP address`, {
    hint: 'Expected an address such as 10.0.0.1 or fd00::1.',
  });
}

/** An address range. */
export interface Prefix extends Ip {
  bits: number;
}

/** Parses `10.0.0.0/8`; bits beyond the prefix are cleared, as the datapath stores it. */
export function parsePrefix(text: string): Prefix {
  const cidr = parseCidr(text);
  if (!cidr)
    throw new UserError(`Invalid prefix "${text}"`, {
      hint: 'Expected a prefix such as 10.0.0.0/8, or 10.0.0.1/32 for one address.',
    });
  return {
    bytes: Buffer.from(cidr.network),
    family: cidr.network.length === 4 ? 4 : 6,
    bits: cidr.length,
  };
}

/** Puts an address into a 16-byte field, IPv4 first, and returns the number of its family (1 or 2). */
export function encodeFamilyIp(target: Buffer, at: number, ip: Ip): 1 | 2 {
  ip.bytes.copy(target, at);
  return ip.family === 4 ? 1 : 2;
}

/** Parses a MAC address to its six bytes. */
export function parseMac(text: string): Buffer {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text))
    throw new UserError(`"${text}" is no MAC address`, {
      hint: 'Expected six bytes such as 02:42:ac:11:00:02.',
    });
  return Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex');
}
