import { createHash } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';

/** A number in [0, below) that depends on the words only, so that the same scenario looks the same in every run. */
export function derivedNumber(below: number, ...words: string[]): number {
  return digest(words).readUInt32BE(0) % below;
}

/** A UUID that depends on the words only. */
export function derivedUuid(...words: string[]): string {
  const hex = digest(words).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A locally administered MAC address that depends on the words only. */
export function derivedMac(...words: string[]): string {
  const bytes = digest(words).subarray(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(':');
}

/** A container id: 64 hex digits. */
export function derivedContainer(...words: string[]): string {
  return digest(words).toString('hex');
}

function digest(words: readonly string[]): Buffer {
  return createHash('sha256').update(words.join('\0')).digest();
}

/** An IPv4 or IPv6 network. */
export interface Prefix {
  family: 4 | 6;
  /** Address as a number, host bits cleared. */
  network: bigint;
  length: number;
}

/** Parses `address/length`; a bare address is a prefix of full length. Undefined when it is neither. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length, extra] = text.split('/');
  const value = parseAddress(address);
  if (!value || extra !== undefined) return undefined;
  const bits = value.family === 4 ? 32 : 128;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const size = length === undefined ? bits : Number(length);
  if (size > bits) return undefined;
  const host = BigInt(bits - size);
  return { family: value.family, network: (value.number >> host) << host, length: size };
}

/** Parses an address to a number. */
export function parseAddress(text: string): { family: 4 | 6; number: bigint } | undefined {
  const family = isIP(text);
  if (family === 4)
    return { family: 4, number: text.split('.').reduce((n, part) => (n << 8n) | BigInt(part), 0n) };
  if (family !== 6) return undefined;
  const halves = normalV6(text).split('::');
  const words = (half: string | undefined) => (half ? half.split(':') : []);
  const head = words(halves[0]);
  const tail = words(halves[1]);
  const middle = Array<string>(8 - head.length - tail.length).fill('0');
  const number = [...head, ...middle, ...tail].reduce((n, word) => (n << 16n) | BigInt(`0x${word}`), 0n);
  return { family: 6, number };
}

/** The shortest form of an IPv6 address, hex words only. */
function normalV6(text: string): string {
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (!dotted) return address;
  const [a, b, c, d] = dotted.slice(2).map(Number);
  return `${dotted[1]}${(((a ?? 0) << 8) | (b ?? 0)).toString(16)}:${(((c ?? 0) << 8) | (d ?? 0)).toString(16)}`;
}

/** Writes an address number as text, IPv6 in its shortest form. */
export function formatAddress(number: bigint, family: 4 | 6): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
  const words = Array.from({ length: 8 }, (_, i) =>
    ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  return new SocketAddress({ address: words.join(':'), family: 'ipv6' }).address;
}

/** Whether `inner` lies within `outer`. */
export function contains(outer: Prefix, inner: Prefix): boolean {
  const shift = BigInt((outer.family === 4 ? 32 : 128) - outer.length);
  return (
    outer.family === inner.family &&
    inner.length >= outer.length &&
    inner.network >> shift === outer.network >> shift
  );
}

/** A host address inside a prefix that depends on the words only; never the first or the last one. */
export function derivedAddress(prefix: Prefix, ...words: string[]): string {
  const hostBits = (prefix.family === 4 ? 32 : 128) - prefix.length;
  const room = Math.max(1, 2 ** Math.min(hostBits, 16) - 2);
  return formatAddress(prefix.network + 1n + BigInt(derivedNumber(room, ...words)), prefix.family);
}
