import { closeSync, openSync, readSync } from 'node:fs';
import { systemReason, UserError } from '../../errors.ts';

/** Size of a read: large enough that a call costs nothing, small enough for the processor's cache. */
const CHUNK_BYTES = 512 * 1024;

const NEWLINE = 0x0a;

/** How long a file is read without looking for a signal. */
const TURN_MS = 50;

/** Longest line that is taken: a server sends messages of four MiB at most. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

function refuseLong(size: number, path: string, begins: number): void {
  if (size > MAX_LINE_BYTES)
    throw new UserError(
      `read ${path}: the line that begins at byte ${begins} is longer than ${MAX_LINE_BYTES / 1024 / 1024} MiB`,
      { hint: 'Is this a capture of Hubble? What came before it was read.' },
    );
}

/**
 * Reads a regular file in chunks that hold whole lines. It answers at once, so that asking another thread would cost more than it
 * gains. A chunk is valid until the next one but one is asked for.
 */
export async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const call = (verb: string, make: () => number): number => {
    try {
      return make();
    } catch (cause) {
      throw new UserError(`${verb} ${path}: ${systemReason(cause)}`, { cause });
    }
  };
  const file = call('open', () => openSync(path, 'r'));
  try {
    let [buffer, spare] = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)];
    let filled = 0;
    let begins = 0;
    for (let turned = elapsedMs(); ; ) {
      const count = call('read', () => readSync(file, buffer, filled, buffer.length - filled, null));
      // Reads that answer at once leave no room for a signal.
      if (elapsedMs() - turned > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turned = elapsedMs();
      }
      signal.throwIfAborted();
      filled += count;
      const end = count === 0 ? filled : buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end > 0) yield buffer.subarray(0, end);
      if (count === 0) return;
      const rest = filled - end;
      begins += end;
      refuseLong(rest, path, begins);
      if (rest + CHUNK_BYTES / 2 > spare.length) spare = Buffer.allocUnsafeSlow(2 * rest + CHUNK_BYTES);
      buffer.copy(spare, 0, end, filled);
      [buffer, spare, filled] = [spare, buffer, rest];
    }
  } finally {
    closeSync(file);
  }
}

/** The process's own clock: `performance` would load a module for it. */
function elapsedMs(): number {
  return process.uptime() * 1000;
}

/** Regroups chunks so that each ends with a newline; only the last may lack it. */
export async function* wholeLines(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let size = 0;
  let begins = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      yield size === 0 ? bytes.subarray(0, end) : Buffer.concat([...rest, bytes.subarray(0, end)]);
      begins += size + end;
      [rest, size] = [[], 0];
    }
    rest.push(bytes.subarray(end));
    size += bytes.length - end;
    refuseLong(size, path, begins);
  }
  if (size > 0) yield Buffer.concat(rest);
}
