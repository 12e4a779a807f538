import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32, createDeflateRaw, type DeflateRaw, deflateRawSync } from 'node:zlib';
import { errorCode } from '../errors.ts';
import { Spool, type SpooledBytes } from './spool.ts';
import {
  directoryRecord,
  directoryRecordLength,
  END_SIZE,
  endRecords,
  LARGE_END_SIZE,
  localHeader,
  needsLargeEnd,
  type ZipEntry,
} from './zip-records.ts';

/** One file of an archive while it is written. */
export interface EntryWriter {
  /** Resolves when more may follow. */
  write(bytes: Uint8Array): Promise<void>;
  /** Puts it into the archive and resolves with its size. */
  close(): Promise<number>;
  /** Lets go of it: it does not appear. */
  discard(): Promise<void>;
}

/** Room at first, and what the end is aligned to, so that its last record is within one page. */
const FIRST_ROOM = 4 * 1024 * 1024;
const PAGE = 4096;
const COPY = 256 * 1024;

/**
 * Writes a ZIP archive that is readable, with all that was closed, at any moment, also when the process is killed within
 * a write (docs/decisions/zip-at-any-moment.md). The directory and its end stand at the far end of a sparse file; data
 * and the directory's records grow towards each other, where no reader looks, and what makes an entry appear is one write
 * of the last record, within a page. When the room is used up, a larger file takes the place of the old one.
 */
export class ZipWriter {
  readonly #records = new RecordStack();
  /** Where the next data goes, and where the directory begins. */
  #data = 0;
  #directory = 0;
  #end = 0;
  #isLarge = false;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private file: FileHandle,
  ) {}

  /** Makes the archive, which only its owner may read. Throws where one is there already. */
  static async create(path: string): Promise<ZipWriter> {
    const writer = new ZipWriter(path, await emptyArchive(path));
    try {
      await writer.#grow(FIRST_ROOM);
    } catch (error) {
      await writer.file.close();
      await rm(path, { force: true });
      throw error;
    }
    return writer;
  }

  /** Begins a file. Several may be written at once; each is deflated in bounded memory. */
  entry(name: string, modified: Date): EntryWriter {
    return new DeflatedEntry(name, modified, new Spool(dirname(this.path)), (entry, packed) =>
      this.#add(entry, packed),
    );
  }

  /** Bytes of the archive as it would be if it ended now. */
  get size(): number {
    return this.#data + (this.#end - this.#directory);
  }

  get count(): number {
    return this.#records.count;
  }

  /** Takes the unused room out. The archive is closed whatever happens. */
  async close(): Promise<void> {
    await this.#work.catch(() => {});
    try {
      const { oldestFirst: bytes, count } = this.#records;
      const isLarge = needsLargeEnd(count, this.#data);
      const end = endRecords(count, this.#data, bytes.length, isLarge);
      const size = this.#data + bytes.length + end.length;
      if (size > this.#directory) await this.#grow(2 * size);
      // Both directories say the same; the nearer one counts as soon as the file ends behind it.
      await writeAt(this.file, bytes, this.#data);
      await writeAt(this.file, end, this.#data + bytes.length);
      await this.file.truncate(size);
      await this.file.sync();
    } finally {
      await this.file.close();
    }
  }

  /** One after the other. */
  #add(entry: Omit<ZipEntry, 'offset'>, packed: SpooledBytes): Promise<void> {
    const added = this.#work.then(() => this.#append(entry, packed));
    this.#work = added.catch(() => {});
    return added;
  }

  async #append(added: Omit<ZipEntry, 'offset'>, packed: SpooledBytes): Promise<void> {
    const entry: ZipEntry = { ...added, offset: this.#data };
    const head = localHeader(entry);
    const record = directoryRecord(entry);
    const needed = head.length + packed.size + record.length;
    const isLarge = needsLargeEnd(this.#records.count + 1, this.#end);
    if (this.#data + needed > this.#directory || isLarge !== this.#isLarge)
      await this.#grow(2 * (this.#data + needed + (this.#end - this.#directory)));
    await writeAt(this.file, head, this.#data);
    let at = this.#data + head.length;
    for await (const part of packed.read()) {
      await writeAt(this.file, part, at);
      at += part.length;
    }
    const directory = this.#directory - record.length;
    await writeAt(this.file, record, directory);
    const size = this.#endStart - directory;
    await writeAt(
      this.file,
      endRecords(this.#records.count + 1, directory, size, this.#isLarge),
      this.#endStart,
    );
    this.#records.push(record);
    this.#data = at;
    this.#directory = directory;
  }

  get #endStart(): number {
    return this.#end - (this.#isLarge ? LARGE_END_SIZE : END_SIZE);
  }

  /** Makes the file larger: beside it, since no write that makes a file longer is whole or not at all. */
  async #grow(needed: number): Promise<void> {
    const end = Math.ceil(needed / PAGE) * PAGE;
    const isLarge = needsLargeEnd(this.#records.count + 1, end);
    const endStart = end - (isLarge ? LARGE_END_SIZE : END_SIZE);
    const { bytes: records, count } = this.#records;
    const beside = besides(this.path);
    const file = await openNew(beside);
    try {
      // One buffer for all: collecting them would wait until tens of MiB are left over.
      const room = Buffer.allocUnsafe(Math.min(COPY, this.#data));
      for (let at = 0; at < this.#data; at += COPY) {
        const part = room.subarray(0, Math.min(COPY, this.#data - at));
        await readAt(this.file, part, at);
        await writeAt(file, part, at);
      }
      const directory = endStart - records.length;
      await writeAt(file, records, directory);
      await writeAt(file, endRecords(count, directory, records.length, isLarge), endStart);
      await rename(beside, this.path);
      await this.file.close();
      this.file = file;
      this.#directory = directory;
      this.#end = end;
      this.#isLarge = isLarge;
    } catch (error) {
      await file.close();
      await rm(beside, { force: true });
      throw error;
    }
  }
}

/** Where a file is made that will have this path. */
function besides(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}.growing`;
}

/** Opens a file that is not there yet, for its owner alone. */
function openNew(path: string): Promise<FileHandle> {
  return open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
}

/** Makes an archive without entries, which has its name from the moment on that it is whole. */
async function emptyArchive(path: string): Promise<FileHandle> {
  const bytes = endRecords(0, 0, 0, false);
  const beside = besides(path);
  const file = await openNew(beside);
  try {
    await writeAt(file, bytes, 0);
    await link(beside, path);
    return file;
  } catch (error) {
    await file.close();
    // There are file systems without links; who has a file of that name already may not lose it.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS'].includes(errorCode(error) ?? '')) throw error;
    const own = await openNew(path);
    await writeAt(own, bytes, 0);
    return own;
  } finally {
    await rm(beside, { force: true });
  }
}

/** The directory, the newest record first, as it grows towards the data: tens of thousands of them as bytes. */
class RecordStack {
  #room = Buffer.alloc(64 * 1024);
  #length = 0;
  #count = 0;

  push(record: Buffer): void {
    if (this.#length + record.length > this.#room.length) {
      const larger = Buffer.alloc(2 * (this.#room.length + record.length));
      this.bytes.copy(larger, larger.length - this.#length);
      this.#room = larger;
    }
    this.#length += record.length;
    record.copy(this.#room, this.#room.length - this.#length);
    this.#count++;
  }

  get bytes(): Buffer {
    return this.#room.subarray(this.#room.length - this.#length);
  }

  /** As an archive lists them once it is closed. */
  get oldestFirst(): Buffer {
    const { bytes } = this;
    const ordered = Buffer.allocUnsafe(bytes.length);
    for (let at = 0, length = 0; at < bytes.length; at += length) {
      length = directoryRecordLength(bytes, at);
      bytes.copy(ordered, bytes.length - at - length, at, at + length);
    }
    return ordered;
  }

  get count(): number {
    return this.#count;
  }
}

/** So much of a file is held before it is deflated: most files are smaller, and a stream takes 256 KiB for each. */
const WHOLE = 64 * 1024;

/** Deflates a whole file in no more memory than one of its size needs: by default each would take 300 KiB. */
function deflated(bytes: Buffer): Buffer {
  const windowBits = Math.min(15, Math.max(10, Math.ceil(Math.log2(bytes.length + 300))));
  const chunkSize = Math.min(16 * 1024, Math.max(128, bytes.length));
  return deflateRawSync(bytes, { level: 6, windowBits, memLevel: Math.min(8, windowBits - 5), chunkSize });
}

/** Deflates what is written and keeps it aside until it is whole. */
class DeflatedEntry implements EntryWriter {
  #held: Buffer[] = [];
  #deflate: DeflateRaw | undefined;
  #drained: Promise<void> | undefined;
  #crc = 0;
  #size = 0;
  #failed: unknown;

  constructor(
    private readonly name: string,
    private readonly modified: Date,
    private readonly spool: Spool,
    private readonly add: (entry: Omit<ZipEntry, 'offset'>, packed: SpooledBytes) => Promise<void>,
  ) {}

  /** A stream, from the first byte that is not held any more on. */
  #stream(): DeflateRaw {
    if (this.#deflate) return this.#deflate;
    const deflate = createDeflateRaw({ level: 6, chunkSize: 64 * 1024 });
    this.#deflate = deflate;
    const drain = async () => {
      for await (const part of deflate) await this.spool.write(part as Buffer);
    };
    this.#drained = drain();
    this.#drained.catch((error: unknown) => {
      this.#failed = error;
      deflate.destroy();
    });
    return deflate;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failed) throw this.#failed;
    if (bytes.length === 0) return;
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    if (this.#size <= WHOLE) {
      this.#held.push(Buffer.from(bytes));
      return;
    }
    const deflate = this.#stream();
    const parts = [...this.#held, bytes];
    this.#held = [];
    let isFull = false;
    for (const part of parts) isFull = !deflate.write(part);
    if (!isFull) return;
    await Promise.race([new Promise<void>((resolve) => deflate.once('drain', resolve)), this.#drained]);
  }

  async close(): Promise<number> {
    try {
      if (this.#deflate) {
        this.#deflate.end();
        await this.#drained;
      } else await this.spool.write(deflated(Buffer.concat(this.#held)));
      this.#held = [];
      const { name, modified } = this;
      const [crc, size, packedSize] = [this.#crc, this.#size, this.spool.size];
      await this.add({ name, modified, crc, size, packedSize }, this.spool);
      return size;
    } finally {
      await this.spool.close();
    }
  }

  async discard(): Promise<void> {
    this.#held = [];
    this.#deflate?.destroy();
    await this.#drained?.catch(() => {});
    await this.spool.close();
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}

async function readAt(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error('the archive was cut off by somebody else');
    done += bytesRead;
  }
}
