/** Order of the bytes of a number: that of the host, which is little endian, or that of the network. */
export type ByteOrder = 'host' | 'network';

/**
 * The unsigned number of 1, 2, 4 or 8 bytes at `at`: exact, a bigint beyond 53 bits. Bytes behind the end count as 0.
 * Faster than the methods of Buffer, which check their arguments.
 */
export function readUint(
  raw: Uint8Array,
  at: number,
  size: number,
  order: ByteOrder = 'host',
): number | bigint {
  const a = raw[at] ?? 0;
  if (size === 1) return a;
  const b = raw[at + 1] ?? 0;
  if (size === 2) return order === 'host' ? (b << 8) | a : (a << 8) | b;
  const first = readUint32(raw, at, order);
  if (size === 4) return first;
  const second = readUint32(raw, at + 4, order);
  const high = order === 'host' ? second : first;
  const low = order === 'host' ? first : second;
  return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
}

function readUint32(raw: Uint8Array, at: number, order: ByteOrder): number {
  const a = raw[at] ?? 0;
  const b = raw[at + 1] ?? 0;
  const c = raw[at + 2] ?? 0;
  const d = raw[at + 3] ?? 0;
  return (
    (order === 'host' ? (d << 24) | (c << 16) | (b << 8) | a : (a << 24) | (b << 16) | (c << 8) | d) >>> 0
  );
}

/** Writes a number of 1, 2 or 4 bytes; one that does not fit is an error. */
export function writeUint(raw: Buffer, at: number, size: number, order: ByteOrder, value: number): void {
  if (order === 'host') raw.writeUIntLE(value, at, size);
  else raw.writeUIntBE(value, at, size);
}

/** The sum as a counter of 64 bits has it: beyond its largest it begins at 0 again. */
export function sum64(values: readonly bigint[]): bigint {
  return BigInt.asUintN(
    64,
    values.reduce((sum, value) => sum + value, 0n),
  );
}

/** A number as long as 53 bits hold it. */
export function exactNumber(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** The two bytes of a port the other way round, as the reference prints it where it forgets to swap. */
export function swap16(port: number): number {
  return ((port & 0xff) << 8) | (port >> 8);
}
