import { constants, open } from 'node:fs/promises';
import { errorCode, errorMessage, UserError } from '../errors.ts';

/** Size of a read: large enough that a call costs nothing, small enough for the processor's cache. */
const CHUNK_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
};

/** Reads a file in chunks that hold whole lines. The chunks are windows of buffers that are not used again. */
export async function* readLines(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const fail = (verb: string, cause: unknown) =>
    new UserError(`${verb} ${path}: ${REASONS[errorCode(cause) ?? ''] ?? errorMessage(cause)}`, { cause });
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw fail('open', cause);
  });
  try {
    yield* wholeLines(
      (async function* () {
        for (;;) {
          signal.throwIfAborted();
          const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
          const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null).catch((cause: unknown) => {
            throw fail('read', cause);
          });
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      })(),
    );
  } finally {
    await file.close();
  }
}

/** Regroups chunks so that each ends with a newline; only the last may lack it. A line may be of any length. */
export async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      rest.push(bytes);
      continue;
    }
    yield rest.length === 0 ? bytes.subarray(0, end) : Buffer.concat([...rest, bytes.subarray(0, end)]);
    rest = end < bytes.length ? [bytes.subarray(end)] : [];
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
