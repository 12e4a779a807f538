import { crc32, deflateRawSync } from 'node:zlib';

/** One file of an archive as a test wants it, true or not. */
export interface ZipFile {
  name: string;
  data: string | Buffer;
  /** What the headers say of its size instead of the truth. */
  claimed?: number;
  /** Type and permissions of Unix, as a packer there writes them. */
  mode?: number;
  crc?: number;
  /** The sizes stand behind the data. */
  isStreamed?: boolean;
}

/** An archive byte by byte; without its directory it ends as one whose writer was killed. */
export function zipOf(files: readonly ZipFile[], { hasDirectory = true } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, claimed, mode = 0o100644, crc, isStreamed = false } of files) {
    const bytes = Buffer.from(data as string);
    const packed = deflateRawSync(bytes);
    const sum = crc ?? crc32(bytes);
    const size = claimed ?? bytes.length;
    const label = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((isStreamed ? 8 : 0) | 0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(sum, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(label.length, 22);
    const local = Buffer.from(common);
    if (isStreamed) local.fill(0, 10, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), local, label]);
    const behind = Buffer.alloc(isStreamed ? 16 : 0);
    if (isStreamed) {
      behind.write('PK\x07\x08', 0, 'latin1');
      behind.writeUInt32LE(sum, 4);
      behind.writeUInt32LE(packed.length, 8);
      behind.writeUInt32LE(size, 12);
    }
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, tail, label]));
    parts.push(head, packed, behind);
    offset += head.length + packed.length + behind.length;
  }
  if (!hasDirectory) return Buffer.concat(parts);
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
