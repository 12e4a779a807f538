import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode, systemReason, UserError } from '../../errors.ts';
import { Locked, lockFile } from '../../lib/file-lock.ts';
import { type CaptureFormat, examineCapture, isCapture } from './existing.ts';

/** How a capture is kept. */
export interface CaptureOptions {
  /** A file is rotated before it would grow beyond this many bytes; 0 means never. */
  maxBytes: number;
  /** Number of files to keep, including the current one; the oldest is removed. */
  maxFiles: number;
  format: CaptureFormat;
}

/**
 * Appends records to a file and rotates it: FILE is the current one, FILE.1 the one before. A record is written whole
 * or not at all: when the disk is full the file is cut back to the last whole record. The hidden file .FILE.lock keeps
 * a second recorder away.
 */
export class CaptureWriter implements AsyncDisposable {
  #dirty = false;

  private constructor(
    readonly path: string,
    private readonly options: CaptureOptions,
    private file: FileHandle,
    private size: number,
    /** Absent for what is no file: a pipe or a device. */
    private readonly unlock?: () => Promise<void>,
    /** Bytes of a record that was not written to its end and was removed when the capture was opened. */
    readonly removedBytes = 0,
  ) {}

  /**
   * Opens a capture, new or to be continued. Throws UserError when the file, or one that a rotation would move, is no
   * capture of this form or belongs to somebody else, and when another process records into it.
   */
  static async open(path: string, options: CaptureOptions): Promise<CaptureWriter> {
    const before = await stat(path).catch(() => undefined);
    // A pipe or a device is written to and nothing else.
    if (before && !before.isFile())
      return new CaptureWriter(path, { ...options, maxBytes: 0 }, await openFile(path, 'a'), 0);
    const unlock = await takeLock(path);
    let file: FileHandle | undefined;
    try {
      // A new file is ours alone; one that appears meanwhile is not.
      file = await openFile(path, before ? 'a' : 'ax');
      if (before && before.uid !== process.geteuid?.())
        throw new UserError(`${path} belongs to another user (uid ${before.uid})`, {
          hint: 'Who owns the file could read or change what is recorded. Record into a file of your own.',
        });
      const { wholeBytes, cutBytes, lacksNewline } = await examineCapture(path, options.format);
      await checkRotated(path, options);
      if (cutBytes > 0) await file.truncate(wholeBytes);
      if (lacksNewline) await file.appendFile('\n');
      return new CaptureWriter(path, options, file, wholeBytes + (lacksNewline ? 1 : 0), unlock, cutBytes);
    } catch (error) {
      await file?.close();
      await unlock();
      throw error;
    }
  }

  /** Appends whole records. */
  async append(records: Uint8Array): Promise<void> {
    if (records.length === 0) return;
    const { maxBytes } = this.options;
    if (maxBytes > 0 && this.size > 0 && this.size + records.length > maxBytes) await this.#rotate();
    try {
      await this.file.appendFile(records);
    } catch (cause) {
      const isCut = await this.file.truncate(this.size).then(
        () => true,
        () => false,
      );
      throw new UserError(`write ${this.path}: ${reasonOf(cause)}`, {
        cause,
        hint: `${isCut ? 'The capture ends with the last whole record. ' : ''}Free some space, or bound it with --max-size and --max-files.`,
      });
    }
    this.size += records.length;
    this.#dirty = this.unlock !== undefined;
  }

  /** Makes sure that what was appended survives a crash of the machine. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    await this.file.datasync();
  }

  async #rotate(): Promise<void> {
    await this.sync();
    await this.file.close();
    const { maxFiles } = this.options;
    try {
      if (maxFiles <= 1) await unlink(this.path);
      for (let n = maxFiles - 2; n >= 0; n--) {
        if (await stat(rotated(this.path, n)).catch(() => undefined))
          await rename(rotated(this.path, n), rotated(this.path, n + 1));
      }
    } catch (cause) {
      throw new UserError(`rotate ${this.path}: ${reasonOf(cause)}`, { cause });
    }
    this.file = await openFile(this.path, 'ax');
    this.size = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.file.close().finally(this.unlock);
    }
  }
}

function rotated(path: string, n: number): string {
  return n === 0 ? path : `${path}.${n}`;
}

/** Throws when a rotation would move or replace a file that is no capture. */
async function checkRotated(path: string, { maxBytes, maxFiles }: CaptureOptions): Promise<void> {
  if (maxBytes === 0) return;
  for (let n = 1; n < maxFiles; n++) {
    const name = rotated(path, n);
    const info = await stat(name).catch(() => undefined);
    if (info && !(info.isFile() && (await isCapture(name))))
      throw new UserError(`${name} exists and is not a capture: a rotation would move or replace it`, {
        hint: 'Record into another file, or without rotation: --max-size 0.',
      });
  }
}

async function openFile(path: string, flags: 'a' | 'ax'): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (cause) {
    throw new UserError(`open ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** The lock of a capture: a hidden file, so that no pattern for captures matches it. */
function lockPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.lock`);
}

async function takeLock(path: string): Promise<() => Promise<void>> {
  const lock = lockPath(await realpath(path).catch(() => path));
  try {
    return await lockFile(lock);
  } catch (cause) {
    if (!(cause instanceof Locked))
      throw new UserError(`open ${errorCode(cause) === 'ENOENT' ? path : lock}: ${reasonOf(cause)}`, {
        cause,
      });
    const by = cause.holder === undefined ? undefined : `${path} is being recorded into by ${cause.holder}`;
    throw new UserError(by ?? `${path} cannot be locked: ${lock} exists and is no lock of a recorder`, {
      cause,
      hint: `Record into another file. If nothing records into it, remove ${lock}.`,
    });
  }
}

function reasonOf(cause: unknown): string {
  return errorCode(cause) === 'ENOENT' ? 'no such folder' : systemReason(cause);
}
