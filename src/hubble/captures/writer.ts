import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { errorCode, systemReason, UserError } from '../../errors.ts';

/** How a capture is kept. */
export interface CaptureOptions {
  /** A file is rotated before it would grow beyond this many bytes; 0 means never. */
  maxBytes: number;
  /** Number of files to keep, including the current one; the oldest is removed. */
  maxFiles: number;
}

/**
 * Appends records to a file and rotates it: FILE is the current one, FILE.1 the one before. A record is written whole
 * or not at all: when the disk is full the file is cut back to the last whole record.
 */
export class CaptureWriter {
  #file: FileHandle | undefined;
  #size = 0;
  #dirty = false;

  constructor(
    readonly path: string,
    private readonly options: CaptureOptions,
  ) {}

  async #current(): Promise<FileHandle> {
    if (this.#file) return this.#file;
    try {
      this.#file = await open(this.path, 'a', 0o600);
      this.#size = (await this.#file.stat()).size;
      return this.#file;
    } catch (cause) {
      throw new UserError(`open ${this.path}: ${reasonOf(cause)}`, { cause });
    }
  }

  /** Appends whole records. */
  async append(records: Uint8Array): Promise<void> {
    if (records.length === 0) return;
    let file = await this.#current();
    const { maxBytes } = this.options;
    if (maxBytes > 0 && this.#size > 0 && this.#size + records.length > maxBytes) {
      await this.#rotate();
      file = await this.#current();
    }
    try {
      await file.appendFile(records);
    } catch (cause) {
      await file.truncate(this.#size).catch(() => {});
      throw new UserError(`write ${this.path}: ${reasonOf(cause)}`, {
        cause,
        hint: 'The capture ends with the last whole record. Free some space, or bound it with --max-size and --max-files.',
      });
    }
    this.#size += records.length;
    this.#dirty = true;
  }

  /** Makes sure that what was appended survives a crash of the machine. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    await this.#file?.datasync();
  }

  async #rotate(): Promise<void> {
    await this.close();
    const { maxFiles } = this.options;
    if (maxFiles <= 1) return unlink(this.path);
    const name = (n: number) => (n === 0 ? this.path : `${this.path}.${n}`);
    for (let n = maxFiles - 2; n >= 0; n--) {
      if (await stat(name(n)).catch(() => undefined)) await rename(name(n), name(n + 1));
    }
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file?.close();
    this.#file = undefined;
    this.#size = 0;
  }
}

function reasonOf(cause: unknown): string {
  return errorCode(cause) === 'ENOENT' ? 'no such folder' : systemReason(cause);
}
