import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes that were put aside. */
export interface SpooledBytes {
  readonly size: number;
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
    const bytes = Buffer.concat(this.#parts, this.#kept);
    for (let done = 0; done < bytes.length; )
      done += (await this.#file.write(bytes, done, bytes.length - done, this.#written + done)).bytesWritten;
    this.#written += bytes.length;
    this.#parts = [];
    this.#kept = 0;
  }

  async *read(): AsyncGenerator<Buffer> {
    for (let at = 0; this.#file && at < this.#written; ) {
      const part = Buffer.allocUnsafe(Math.min(READ, this.#written - at));
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

async function nameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `.cilium-sysdump-${randomBytes(8).toString('hex')}`);
  const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
  await unlink(path);
  return file;
}
