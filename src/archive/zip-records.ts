/** The records of a ZIP archive (PKWARE's APPNOTE 6.3.10), with the 64-bit forms where numbers need them. */

/** What the directory says of an entry. */
export interface ZipEntry {
  name: string;
  crc: number;
  size: number;
  packedSize: number;
  /** Where its local header begins. */
  offset: number;
  modified: Date;
}

const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;
const DEFLATED = 8;
/** Names are UTF-8. */
const FLAGS = 1 << 11;
/** A regular file that its owner may read and write; made by a Unix system. */
const MODE = (0o100600 << 16) >>> 0;
const MADE_BY = (3 << 8) | 45;

/** Bytes of the records behind the directory: `isLarge` with those of 64 bits. */
export const END_SIZE = 22;
export const LARGE_END_SIZE = 56 + 20 + END_SIZE;

/** Whether a directory at this place needs the 64-bit records behind it. */
export function needsLargeEnd(entries: number, offset: number): boolean {
  return entries >= MAX_16 || offset >= MAX_32;
}

/** Date and time as MS-DOS has them, of the local time zone. */
function dosTime(at: Date): { date: number; time: number } {
  const year = Math.min(Math.max(at.getFullYear() - 1980, 0), 127);
  return {
    date: (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate(),
    time: (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1),
  };
}

function extraOf(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  for (const [i, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  return extra;
}

/** What stands before the data of an entry. */
export function localHeader({ name, crc, size, packedSize, modified }: ZipEntry): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  const isLarge = size >= MAX_32 || packedSize >= MAX_32;
  const extra = extraOf(isLarge ? [size, packedSize] : []);
  const { date, time } = dosTime(modified);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x0403_4b50, 0);
  head.writeUInt16LE(isLarge ? 45 : 20, 4);
  head.writeUInt16LE(FLAGS, 6);
  head.writeUInt16LE(DEFLATED, 8);
  head.writeUInt16LE(time, 10);
  head.writeUInt16LE(date, 12);
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(isLarge ? MAX_32 : packedSize, 18);
  head.writeUInt32LE(isLarge ? MAX_32 : size, 22);
  head.writeUInt16LE(bytes.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, bytes, extra]);
}

/** The entry in the directory. */
export function directoryRecord({ name, crc, size, packedSize, offset, modified }: ZipEntry): Buffer {
  const bytes = Buffer.from(name, 'utf8');
  const large = [size, packedSize, offset].filter((value) => value >= MAX_32);
  const extra = extraOf(large);
  const { date, time } = dosTime(modified);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x0201_4b50, 0);
  head.writeUInt16LE(MADE_BY, 4);
  head.writeUInt16LE(large.length > 0 ? 45 : 20, 6);
  head.writeUInt16LE(FLAGS, 8);
  head.writeUInt16LE(DEFLATED, 10);
  head.writeUInt16LE(time, 12);
  head.writeUInt16LE(date, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(Math.min(packedSize, MAX_32), 20);
  head.writeUInt32LE(Math.min(size, MAX_32), 24);
  head.writeUInt16LE(bytes.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(MODE, 38);
  head.writeUInt32LE(Math.min(offset, MAX_32), 42);
  return Buffer.concat([head, bytes, extra]);
}

/** How long the record at a place of the directory is. */
export function directoryRecordLength(directory: Buffer, at: number): number {
  return 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30);
}

/** What stands behind the directory, which is `size` bytes at `offset`. */
export function endRecords(entries: number, offset: number, size: number, isLarge: boolean): Buffer {
  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(Math.min(entries, MAX_16), 8);
  end.writeUInt16LE(Math.min(entries, MAX_16), 10);
  end.writeUInt32LE(Math.min(size, MAX_32), 12);
  end.writeUInt32LE(isLarge ? MAX_32 : offset, 16);
  if (!isLarge) return end;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x0606_4b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(MADE_BY, 12);
  record.writeUInt16LE(45, 14);
  record.writeBigUInt64LE(BigInt(entries), 24);
  record.writeBigUInt64LE(BigInt(entries), 32);
  record.writeBigUInt64LE(BigInt(size), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x0706_4b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([record, locator, end]);
}
