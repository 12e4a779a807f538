import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { errorMessage, UserError } from '../errors.ts';
import { type EntrySource, MAX_ENTRIES, type Opened, tooMany } from './source.ts';

/** Bits of the mode of a file that say what it is, and those of a regular one. */
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const LOCAL_HEADER = 0x04034b50;
const HEADER_BYTES = 30;
const DEFLATED = 8;
/** An archive whose directory is missing is walked from its beginning: no further than so many bytes unpacked. */
const MAX_WALKED = 8 * 1024 * 1024 * 1024;
/** A name is no longer than this, and extra fields neither. */
const PIECE = 256 * 1024;

/** Opens a zip archive. Of one without the directory at its end the entries are looked for one after the other. */
export async function openZip(path: string, label: string): Promise<Opened> {
  // A bundle knows no other name of what a package of CommonJS exports.
  const { default: yauzl } = await import('yauzl');
  const reader = await blockReader(path, yauzl);
  let zip: ZipFile;
  try {
    zip = await yauzl.fromRandomAccessReaderPromise(reader, reader.size, {
      lazyEntries: true,
      autoClose: false,
    });
  } catch (error) {
    await reader.file.close();
    const found = await walkZip(path, label);
    if (found) return found;
    throw new UserError(`${label} is not an archive that can be read: ${errorMessage(error)}`, {
      hint: 'Expected a zip of "cilium sysdump", or the folder that it was unpacked to.',
      cause: error,
    });
  }
  const entries: EntrySource[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      if (!isFile(entry)) continue;
      if (entries.length >= MAX_ENTRIES) throw tooMany(label);
      entries.push({
        name: entry.fileName,
        claimed: entry.uncompressedSize,
        crc: entry.crc32,
        modifiedMs: writtenMs(entry),
        open: async () => {
          if (!entry.canDecodeFileData())
            throw new UserError(
              `${label}: ${entry.fileName} is encrypted, or packed in a way that is not known`,
            );
          return await zip.openReadStreamPromise(entry);
        },
      });
    }
  } catch (error) {
    await reader.file.close();
    if (error instanceof UserError) throw error;
    throw new UserError(`${label} is not read: ${errorMessage(error)}`, {
      hint: 'No program that collects makes such an archive: it is damaged, or was tampered with.',
      cause: error,
    });
  }
  return { entries, notes: [], close: () => reader.file.close() };
}

const BLOCK = 1024 * 1024;

/** A directory of forty thousand entries is read in large pieces: each entry by itself would be two calls of the system. */
async function blockReader(path: string, { RandomAccessReader }: typeof import('yauzl')) {
  const file = await open(path, 'r');
  const { size } = await file.stat();
  let block = Buffer.alloc(0);
  let begin = 0;
  class BlockReader extends RandomAccessReader {
    readonly file = file;
    readonly size = size;

    override _readStreamForRange(start: number, end: number): Readable {
      return end <= start ? Readable.from([]) : createReadStream(path, { start, end: end - 1 });
    }

    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null) => void,
    ): void {
      const within = position - begin;
      if (within >= 0 && within + length <= block.length) {
        block.copy(buffer, offset, within, within + length);
        queueMicrotask(() => done(null));
        return;
      }
      const next = Buffer.alloc(Math.max(length, Math.min(BLOCK, size - position)));
      file.read(next, 0, next.length, position).then(({ bytesRead }) => {
        [block, begin] = [next.subarray(0, bytesRead), position];
        block.copy(buffer, offset, 0, length);
        done(bytesRead < length ? new Error('it ends too early') : null);
      }, done);
    }
  }
  return new BlockReader();
}

/** Folders are none, and what was a symbolic link or a device where it was packed neither. */
function isFile({ fileName, externalFileAttributes, versionMadeBy }: Entry): boolean {
  if (fileName.endsWith('/')) return false;
  const isUnix = versionMadeBy >> 8 === 3;
  const type = (externalFileAttributes >>> 16) & FILE_TYPE;
  return !isUnix || type === 0 || type === REGULAR;
}

/** A time of the old form alone is of no known zone. */
function writtenMs(entry: Entry): number | undefined {
  const hasZone = entry.extraFields.some(({ id }) => id === 0x5455 || id === 0x000a);
  const ms = hasZone ? entry.getLastModDate().getTime() : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** The entries of an archive that ends too early; undefined where it does not even begin as one. */
async function walkZip(path: string, label: string): Promise<Opened | undefined> {
  const file = await open(path, 'r');
  const entries: EntrySource[] = [];
  const { size } = await file.stat();
  let at = 0;
  let walked = 0;
  let cut: string | undefined;
  try {
    while (at < size) {
      const head = await readHead(file, at);
      if (!head) break;
      if (entries.length >= MAX_ENTRIES) throw tooMany(label);
      const begin = at + HEADER_BYTES + head.nameBytes + head.extraBytes;
      const found = await endOfData(file, path, begin, size, head, MAX_WALKED - walked);
      if (!found) {
        cut = head.name;
        break;
      }
      walked += found.unpacked;
      if (!head.name.endsWith('/'))
        entries.push({
          name: head.name,
          claimed: found.unpacked,
          crc: undefined,
          open: async () => dataOf(path, begin, found.end, head.method),
        });
      at = found.next;
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  if (entries.length === 0 && cut === undefined) {
    await file.close();
    return undefined;
  }
  const missing = cut === undefined ? '' : `; ${cut} is cut off`;
  return {
    entries,
    notes: [
      `${label} ends too early: its directory is missing, and ${entries.length} files were found in what there is of it${missing}.`,
    ],
    close: () => file.close(),
  };
}

interface Head {
  name: string;
  method: number;
  /** Sizes stand behind the data. */
  isStreamed: boolean;
  packed: number;
  nameBytes: number;
  extraBytes: number;
}

async function readHead(file: FileHandle, at: number): Promise<Head | undefined> {
  const head = await readAt(file, at, HEADER_BYTES);
  if (head.length < HEADER_BYTES || head.readUInt32LE(0) !== LOCAL_HEADER) return undefined;
  const [flags, method] = [head.readUInt16LE(6), head.readUInt16LE(8)];
  const [nameBytes, extraBytes] = [head.readUInt16LE(26), head.readUInt16LE(28)];
  const name = await readAt(file, at + HEADER_BYTES, nameBytes);
  if (name.length < nameBytes || (flags & 1) !== 0) return undefined;
  const isStreamed = (flags & 8) !== 0;
  return {
    name: name.toString('utf8'),
    method,
    isStreamed,
    packed: head.readUInt32LE(18),
    nameBytes,
    extraBytes,
  };
}

/** Where the data of an entry ends and the next one begins; undefined where it does not end. */
async function endOfData(
  file: FileHandle,
  path: string,
  begin: number,
  size: number,
  { method, isStreamed, packed }: Head,
  limit: number,
): Promise<{ end: number; next: number; unpacked: number } | undefined> {
  if (!isStreamed || packed > 0) {
    const end = begin + packed;
    if (end > size || packed === 0xffffffff) return undefined;
    const unpacked = method === DEFLATED ? await inflated(path, begin, end, limit) : { unpacked: packed };
    return (
      unpacked && { end, next: await afterDescriptor(file, end, isStreamed), unpacked: unpacked.unpacked }
    );
  }
  if (method !== DEFLATED) return undefined;
  const found = await inflated(path, begin, size, limit);
  if (!found) return undefined;
  const end = begin + found.packed;
  return { end, next: await afterDescriptor(file, end, true), unpacked: found.unpacked };
}

/** Unpacks to the end of the data, to learn where that is. */
async function inflated(
  path: string,
  begin: number,
  end: number,
  limit: number,
): Promise<{ packed: number; unpacked: number } | undefined> {
  const inflate = createInflateRaw();
  const source = createReadStream(path, { start: begin, end: Math.max(begin, end - 1) });
  source.on('error', (error) => inflate.destroy(error));
  source.pipe(inflate);
  let unpacked = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      unpacked += chunk.length;
      if (unpacked > limit) return undefined;
    }
    return { packed: inflate.bytesWritten, unpacked };
  } catch {
    return undefined;
  } finally {
    source.destroy();
    inflate.destroy();
  }
}

const DESCRIPTOR = 0x08074b50;

/** Where the next entry begins, behind what may tell the sizes of this one. */
async function afterDescriptor(file: FileHandle, end: number, isStreamed: boolean): Promise<number> {
  if (!isStreamed) return end;
  const bytes = await readAt(file, end, 32);
  const isMarked = bytes.length >= 4 && bytes.readUInt32LE(0) === DESCRIPTOR;
  for (const length of isMarked ? [16, 24] : [12, 20])
    if (bytes.length >= length + 4 && (bytes.readUInt32LE(length) & 0xffff) === 0x4b50) return end + length;
  return end + (isMarked ? 16 : 12);
}

function dataOf(path: string, begin: number, end: number, method: number): Readable {
  if (end <= begin) return Readable.from([]);
  const source = createReadStream(path, { start: begin, end: end - 1 });
  if (method !== DEFLATED) return source;
  const inflate = createInflateRaw();
  source.on('error', (error) => inflate.destroy(error));
  return source.pipe(inflate);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.min(length, PIECE));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
  return buffer.subarray(0, bytesRead);
}
