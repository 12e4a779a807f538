import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that were put aside. */
export interface SpooledBytes {
  readonly size: number;
  /** Each part is good until the next one is asked for. */
  read(): AsyncIterable<Buffer>;
}

/** More is kept on disk. */
const IN_MEMORY = 128 * 1024;
const READ = 256 * 1024;

/** Puts bytes aside: few in memory, many in a file that has no name, so that nothing of it stays behind. */
export class Spool implements SpooledBytes {
  #parts: Buffer[] = [];
  #kept = 0;
  #file: FileHandle | undefined;
  #written = 0;

  /** The file is made in this folder. */
  constructor(private readonly folder: string) {}

  get size(): number {
    return this.#written + this.#kept;
  }

  async write(bytes: Buffer): Promise<void> {
    this.#parts.push(bytes);
    this.#kept += bytes.length;
    if (this.#kept > IN_MEMORY) await this.#spill();
  }

  async #spill(): Promise<void> {
    this.#file ??= await nameless(this.folder);
    for (let parts = this.#parts, done = 0; parts.length > 0; parts = behind(this.#parts, done))
      done += (await this.#file.writev(parts, this.#written + done)).bytesWritten;
    this.#written += this.#kept;
    this.#parts = [];
    this.#kept = 0;
  }

  async *read(): AsyncGenerator<Buffer> {
    const room = Buffer.allocUnsafe(Math.min(READ, this.#written));
    for (let at = 0; this.#file && at < this.#written; ) {
      const part = room.subarray(0, Math.min(READ, this.#written - at));
      const { bytesRead } = await this.#file.read(part, 0, part.length, at);
      if (bytesRead === 0) throw new Error('what was put aside is gone');
      at += bytesRead;
      yield part.subarray(0, bytesRead);
    }
    yield* this.#parts;
  }

  async close(): Promise<void> {
    this.#parts = [];
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** What of these parts lies behind so many bytes. */
function behind(parts: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  return parts.flatMap((part) => {
    const rest = part.subarray(Math.min(skip, part.length));
    skip -= part.length - rest.length;
    return rest.length > 0 ? [rest] : [];
  });
}

/** Opens a file that never has a name (`open(2)`, O_TMPFILE), of which Node has no constant. */
const NAMELESS = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;

/** A file that nothing is left of when the process ends, however it does. */
async function nameless(folder: string): Promise<FileHandle> {
  try {
    return await open(folder, NAMELESS, 0o600);
  } catch {
    // Not every file system has such files. With a name for a moment, a kill within it leaves one.
    const path = join(folder, `.cilium-sysdump-${randomBytes(8).toString('hex')}`);
    const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    await unlink(path);
    return file;
  }
}

/** The last so many bytes of a stream, from the beginning of a line on. */
export class TailSpool implements AsyncDisposable {
  #before: Spool | undefined;
  #now: Spool;
  #total = 0;

  constructor(
    private readonly folder: string,
    private readonly limit: number,
  ) {
    this.#now = new Spool(folder);
  }

  async write(bytes: Buffer): Promise<void> {
    this.#total += bytes.length;
    await this.#now.write(Buffer.from(bytes));
    if (this.#now.size < this.limit) return;
    await this.#before?.close();
    this.#before = this.#now;
    this.#now = new Spool(this.folder);
  }

  /** Bytes that are let go, but for the rest of a line. */
  get dropped(): number {
    return Math.max(0, this.#total - this.limit);
  }

  async *read(): AsyncGenerator<Buffer> {
    const kept = (this.#before?.size ?? 0) + this.#now.size;
    let skip = Math.max(0, kept - this.limit);
    let isCut = this.dropped > 0;
    for (const spool of [this.#before, this.#now])
      for await (const part of spool?.read() ?? []) {
        let rest = part.subarray(Math.min(skip, part.length));
        skip -= part.length - rest.length;
        if (skip > 0 || rest.length === 0) continue;
        if (isCut) {
          const end = rest.indexOf(0x0a);
          if (end < 0) continue;
          rest = rest.subarray(end + 1);
          isCut = false;
        }
        if (rest.length > 0) yield rest;
      }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#before?.close();
    await this.#now.close();
  }
}
