/** Bytes of keys and values that verbs write. Addresses are checked where they come in. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { UserError } from '../../errors.ts';

/** An address as bytes: 4 or 16. */
export interface Ip {
  bytes: Buffer;
  family: 4 | 6;
}

/** Parses an address. */
export function parseIp(text: string): Ip {
  if (isIPv4(text)) return { bytes: Buffer.from(text.split('.').map(Number)), family: 4 };
  if (isIPv6(text) && !text.includes('%')) return { bytes: ipv6Bytes(text), family: 6 };
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
  const slash = text.lastIndexOf('/');
  if (slash === -1)
    throw new UserError(`Invalid prefix "${text}": it has no "/"`, {
      hint: 'Expected a prefix such as 10.0.0.0/8, or 10.0.0.1/32 for one address.',
    });
  const ip = parseIp(text.slice(0, slash));
  const bits = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : Number.NaN;
  if (!(bits <= ip.bytes.length * 8))
    throw new UserError(`Invalid prefix "${text}": the length must lie between 0 and ${ip.bytes.length * 8}`);
  return { ...ip, bytes: maskBytes(ip.bytes, bits), bits };
}

/** The address with all bits behind the first `bits` cleared. */
export function maskBytes(bytes: Buffer, bits: number): Buffer {
  return Buffer.from(
    Array.from(bytes, (byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - 8 * i))) & 0xff),
  );
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

function ipv6Bytes(text: string): Buffer {
  // The canonical form has at most one "::" and, for mapped addresses, a dotted tail.
  const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(canonical);
  const groups = dotted
    ? `${dotted[1]}${hexPair(dotted[2], dotted[3])}:${hexPair(dotted[4], dotted[5])}`
    : canonical;
  const [head = '', tail] = groups.split('::');
  const parse = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = parse(head);
  const after = tail === undefined ? [] : parse(tail);
  const all = [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
  const bytes = Buffer.alloc(16);
  all.forEach((group, i) => {
    bytes.writeUInt16BE(group, 2 * i);
  });
  return bytes;
}

function hexPair(high: string | undefined, low: string | undefined): string {
  return ((Number(high) << 8) | Number(low)).toString(16);
}
