import { isIP } from 'node:net';
import { formatIpv4, formatIpv6 } from './ip.ts';

/** An address block. */
export interface Cidr {
  /** 4 or 16 bytes, bits outside the prefix cleared. */
  network: Uint8Array;
  length: number;
}

/** The bytes of an address, 4 or 16; undefined when it is none. */
export function parseIp(text: string): Uint8Array | undefined {
  const family = text.includes('%') ? 0 : isIP(text);
  if (family === 4) return Uint8Array.from(text.split('.'), Number);
  if (family !== 6) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const plain = dotted ? `${dotted[1]}${hexGroups(dotted[2] ?? '')}` : text;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const groups = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const n = Number.parseInt(group, 16);
    bytes[2 * i] = n >> 8;
    bytes[2 * i + 1] = n & 0xff;
  });
  return bytes;
}

function hexGroups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** Text of 4 or 16 address bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}

/** Parses `address/length`; undefined when it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(.*)\/(\d{1,3})$/.exec(text);
  const bytes = match && parseIp(match[1] ?? '');
  if (!match || !bytes) return undefined;
  const length = Number(match[2]);
  if (length > bytes.length * 8 || match[2] !== String(length)) return undefined;
  const network = bytes.map((byte, i) => byte & ~(0xff >> Math.min(8, Math.max(0, length - 8 * i))));
  return { network, length };
}

/** Widest block first, then by the bytes of the address. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  if (a.length !== b.length) return a.length - b.length;
  return Buffer.compare(a.network, b.network);
}
