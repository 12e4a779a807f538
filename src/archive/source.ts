import type { Readable } from 'node:stream';
import { UserError } from '../errors.ts';

/** One file of an archive, wherever it lies. */
export interface EntrySource {
  name: string;
  /** How large it says to be, in bytes. */
  claimed: number;
  /** Of its bytes, where one was written down. */
  crc: number | undefined;
  /** When it was written, in ms since the epoch, where that is known. */
  modifiedMs?: number | undefined;
  open(): Promise<Readable>;
}

/** What an archive holds. */
export interface Opened {
  entries: EntrySource[];
  /** What a reader should know of it, a sentence each. */
  notes: string[];
  close(): Promise<void>;
}

/** One of a thousand nodes has about forty thousand. */
export const MAX_ENTRIES = 300_000;

/** The error of an archive that holds more. */
export function tooMany(label: string): UserError {
  return new UserError(`${label} is not read: it holds more than ${MAX_ENTRIES} files`);
}
