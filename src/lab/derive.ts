import { createHash } from 'node:crypto';
import { type AddressRange, formatAddress, rangeAt, WIDTH } from '../lib/address.ts';

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

/** A host address inside a prefix that depends on the words only; never the first or the last one. */
export function derivedAddress({ family, first, length }: AddressRange, ...words: string[]): string {
  const room = Math.max(1, 2 ** Math.min(WIDTH[family] - length, 16) - 2);
  return formatAddress(rangeAt(family, first + 1n + BigInt(derivedNumber(room, ...words)), WIDTH[family]));
}
