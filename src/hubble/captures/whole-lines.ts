import { readSync } from 'node:fs';
import { constants, open } from 'node:fs/promises';
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
 * Reads a file in chunks that hold whole lines. A chunk is valid until the next one but one is asked for: while one
 * is worked on the other is being filled.
 */
export async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const fail = (verb: string, cause: unknown) =>
    new UserError(`${verb} ${path}: ${systemReason(cause)}`, { cause });
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw fail('open', cause);
  });
  // A regular file answers at once, so that asking another thread costs more than it gains.
  let isFile = false;
  const read = async (buffer: Buffer, from: number) => {
    const length = buffer.length - from;
    try {
      if (isFile) return readSync(file.fd, buffer, from, length, null);
      return (await file.read(buffer, from, length, null)).bytesRead;
    } catch (cause) {
      throw fail('read', cause);
    }
  };
  try {
    isFile = (await file.stat()).isFile();
    let buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let spare = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let filled = 0;
    let begins = 0;
    let turned = elapsedMs();
    let pending = read(buffer, 0);
    for (;;) {
      const count = await pending;
      // Reads that answer at once leave no room for a signal.
      if (isFile && elapsedMs() - turned > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turned = elapsedMs();
      }
      signal.throwIfAborted();
      filled += count;
      if (count === 0) {
        if (filled > 0) yield buffer.subarray(0, filled);
        return;
      }
      const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end === 0) {
        refuseLong(filled, path, begins);
        // A line longer than the buffer: read on behind it.
        if (filled === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
        pending = read(buffer, filled);
        continue;
      }
      const rest = filled - end;
      if (spare.length < rest + CHUNK_BYTES / 2) spare = Buffer.allocUnsafeSlow(rest + CHUNK_BYTES);
      buffer.copy(spare, 0, end, filled);
      pending = read(spare, rest);
      // Whoever stops here leaves a read behind, which must not become an unhandled rejection.
      pending.catch(() => {});
      yield buffer.subarray(0, end);
      [buffer, spare] = [spare, buffer];
      filled = rest;
      begins += end;
    }
  } finally {
    await file.close();
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
    if (end === 0) {
      rest.push(bytes);
      size += bytes.length;
      refuseLong(size, path, begins);
      continue;
    }
    yield rest.length === 0 ? bytes.subarray(0, end) : Buffer.concat([...rest, bytes.subarray(0, end)]);
    rest = end < bytes.length ? [bytes.subarray(end)] : [];
    begins += size + end;
    size = bytes.length - end;
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
