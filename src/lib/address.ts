import { isIP } from 'node:net';

/** A range of addresses that a prefix names. A single address is a prefix of full length. */
export interface AddressRange {
  family: 4 | 6;
  /** Lowest address as a number; the bits beyond the prefix are 0. */
  first: bigint;
  /** Highest address; those bits are 1. */
  last: bigint;
  /** Length of the prefix in bits. */
  length: number;
}

/** Bits of an address. */
export const WIDTH = { 4: 32, 6: 128 } as const;

const DOT = 0x2e;
const ZERO = 0x30;

/** The prefix of `length` bits that holds an address. */
export function rangeAt(family: 4 | 6, address: bigint, length: number): AddressRange {
  const rest = (1n << BigInt(WIDTH[family] - length)) - 1n;
  return { family, first: address & ~rest, last: address | rest, length };
}

/** Parses an address without a zone; undefined when it is not valid. */
export function parseAddress(text: string): AddressRange | undefined {
  const family = text.includes('%') ? 0 : isIP(text);
  if (family !== 4 && family !== 6) return undefined;
  const first = family === 4 ? BigInt(ipv4Number(text)) : ipv6Number(text);
  return { family, first, last: first, length: WIDTH[family] };
}

function ipv4Number(text: string): number {
  let number = 0;
  let part = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      number = number * 256 + part;
      part = 0;
    } else part = part * 10 + code - ZERO;
  }
  return number * 256 + part;
}

function ipv6Number(text: string): bigint {
  const [head, tail] = text.split('::').map(hexWords);
  const digits = `${head?.padEnd(tail === undefined ? 32 : 32 - tail.length, '0')}${tail ?? ''}`;
  return BigInt(`0x${digits}`);
}

/** Four hex digits for each word of one side of `::`; the last word may be an IPv4 address. */
function hexWords(side: string): string {
  if (side === '') return '';
  return side
    .split(':')
    .map((word) => (word.includes('.') ? hexOf(ipv4Number(word), 8) : word.padStart(4, '0')))
    .join('');
}

function hexOf(number: number | bigint, digits: number): string {
  return number.toString(16).padStart(digits, '0');
}

/** The IPv4 address that was mapped into an IPv6 one; any other address as it is. */
export function unmapped(address: AddressRange): AddressRange {
  const isMapped = address.family === 6 && address.length === WIDTH[6] && address.first >> 32n === 0xffffn;
  return isMapped ? rangeAt(4, address.first & 0xffff_ffffn, WIDTH[4]) : address;
}

/** Parses `address/length`; undefined when it is not valid. Bits beyond the prefix are cleared. */
export function parsePrefix(text: string): AddressRange | undefined {
  const slash = text.lastIndexOf('/');
  const digits = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const address = parseAddress(text.slice(0, slash));
  const length = Number(digits);
  return address && length <= address.length ? rangeAt(address.family, address.first, length) : undefined;
}

/** Parses `address/length` or an address alone; undefined when it is neither. */
export function parseRange(text: string): AddressRange | undefined {
  return text.includes('/') ? parsePrefix(text) : parseAddress(text);
}

/** An IPv6 address without its zone (`fe80::1%eth0`); any other text as it is. */
export function withoutZone(text: string): string {
  return text.replace(/^([^%]*:[^%]*)%.+$/s, '$1');
}

/** Whether every address of `inner` lies in `outer`. */
export function contains(outer: AddressRange, inner: AddressRange): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** The largest prefixes that cover `outer` without the `holes`, ascending. */
export function without(outer: AddressRange, holes: readonly AddressRange[]): AddressRange[] {
  const inside = holes.filter((hole) => contains(outer, hole) || contains(hole, outer));
  if (inside.some((hole) => contains(hole, outer))) return [];
  if (inside.length === 0) return [outer];
  const { family, first, last, length } = outer;
  return [first, last].flatMap((end) => without(rangeAt(family, end, length + 1), inside));
}

/** Widest range first, then by the bytes of the first address. */
export function compareRanges(a: AddressRange, b: AddressRange): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return 0;
}

/** The first address as 4 or 16 bytes. */
export function addressBytes({ family, first }: AddressRange): Buffer {
  return Buffer.from(hexOf(first, WIDTH[family] / 4), 'hex');
}

/** Text of the first address, as Go's netip writes it: an IPv4 address in an IPv6 one is `::ffff:10.0.0.1`. */
export function formatAddress(range: AddressRange): string {
  const text = formatIp(addressBytes(range));
  return range.family === 6 && !text.includes(':') ? `::ffff:${text}` : text;
}

/** `address/length`. */
export function formatRange(range: AddressRange): string {
  return `${formatAddress(range)}/${range.length}`;
}

/** Text of 4 or 16 address bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}

/** Dotted form of the four bytes at `at`. */
export function formatIpv4(bytes: Uint8Array, at = 0): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

/**
 * Text form of the 16 bytes at `at`: RFC 5952, and as Go's net.IP does, dotted when the address is an IPv4 one that was
 * mapped into ::ffff:0:0/96.
 */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
  const groups: number[] = [];
  for (let i = at; i < at + 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  if (groups[5] === 0xffff && groups.slice(0, 5).every((g) => g === 0)) return formatIpv4(bytes, at + 12);
  const [start, length] = longestZeroRun(groups);
  const hex = groups.map((g) => g.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** As formatIpv6, but as Go's netip.Addr writes a mapped IPv4 address: `::ffff:10.0.0.1`. */
export function formatIpv6Mapped(bytes: Uint8Array, at = 0): string {
  const text = formatIpv6(bytes, at);
  return text.includes(':') ? text : `::ffff:${text}`;
}

/** An IPv4 address that was mapped into an IPv6 one (`::ffff:10.0.0.1`) as IPv4; any other text as it is. */
export function withoutMapping(text: string): string {
  return text.replace(/^::ffff:(?=\d+\.)/, '');
}

/** Start and length of the first longest run of zeros. */
function longestZeroRun(groups: readonly number[]): [number, number] {
  let best: [number, number] = [0, 0];
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best[1]) best = [i, length];
    i += length;
  }
  return best;
}

/** Six bytes as `aa:bb:cc:dd:ee:ff`. */
export function formatMac(bytes: Uint8Array, at = 0): string {
  let text = '';
  for (let i = at; i < at + 6; i++) text += `${i > at ? ':' : ''}${hexByte(bytes[i] ?? 0)}`;
  return text;
}

/** Parses six bytes written as `aa:bb:cc:dd:ee:ff` or with dashes; undefined when the text is not valid. */
export function parseMac(text: string): Buffer | undefined {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Buffer.from(text.replaceAll(/[:-]/g, ''), 'hex');
}

/** The host of a URL as programs take it: an IPv6 address without its brackets. */
export function unbracketed(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

/** A host as it stands before a port: an IPv6 address in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `host:port`, with brackets around an IPv6 host. */
export function joinHostPort(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

/**
 * Splits `host:port`, with brackets around an IPv6 host; undefined when the text is not of that form or the port is
 * beyond 65535. The host may be a name.
 */
export function splitHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 0xffff ? { host, port } : undefined;
}

function hexByte(byte: number): string {
  return byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
}
