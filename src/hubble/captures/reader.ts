import { glob, open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { errorCode, errorMessage, UserError } from '../../errors.ts';
import { wideEncoding } from '../../lib/encoding.ts';
import { FrameError, FrameReader, messagesOf } from '../grpc/frames.ts';
import { decode } from '../protobuf/codec.ts';
import { WireError } from '../protobuf/wire.ts';
import { readLines, wholeLines } from './whole-lines.ts';

/** Names that a folder may hold besides captures are left out. */
const CAPTURE = /\.(?:json|jsonl|ndjson|log|grpc|proto|pb)(?:\.\d+)?(?:\.(?:gz|zst))?$/;

/**
 * The files that the words of a flag name: a file, a folder of captures, or a glob. Rotated captures come
 * oldest first: FILE.2, FILE.1, FILE. The paths are absolute; `-` stays.
 */
export async function expandInputs(
  words: readonly string[],
  cwd: string,
  flag = '--input-file',
): Promise<string[]> {
  const files: string[] = [];
  for (const word of words) {
    if (word === '-') files.push(word);
    else if (await isFolder(resolve(cwd, word))) files.push(...(await capturesIn(resolve(cwd, word), flag)));
    else if (/[*?[\]{}]/.test(word) && !(await exists(resolve(cwd, word)))) {
      const found = await Array.fromAsync(glob(word, { cwd }));
      if (found.length === 0) throw new UserError(`${flag}: no file matches ${word}`);
      files.push(...oldestFirst(found).map((name) => resolve(cwd, name)));
    } else files.push(resolve(cwd, word));
  }
  return files;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function capturesIn(folder: string, flag: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => CAPTURE.test(name));
  if (names.length === 0)
    throw new UserError(`${flag}: the folder ${folder} holds no captures`, {
      hint: 'Captures end in .json, .jsonl, .ndjson, .log, .proto or .grpc, and .gz or .zst after that.',
    });
  return oldestFirst(names).map((name) => join(folder, name));
}

function oldestFirst(names: readonly string[]): string[] {
  const parts = (name: string) => /^(.*?)(?:\.(\d+))?(\.(?:gz|zst))?$/.exec(name) ?? [];
  return names.toSorted((a, b) => {
    const [, baseA = '', ageA = '0'] = parts(a);
    const [, baseB = '', ageB = '0'] = parts(b);
    return baseA === baseB ? Number(ageB) - Number(ageA) : baseA < baseB ? -1 : 1;
  });
}

/** A capture ends within a record, as a recorder that was killed leaves it, or its archive does. What came before was read. */
export class CutShort extends UserError {
  override name = 'CutShort';

  constructor(message: string, before: string, cause?: unknown) {
    super(message, { hint: `What came before ${before} was read.`, cause });
  }
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/**
 * Reads a capture as chunks of whole JSON lines, whatever it is: plain, gzip or zstd, JSON lines or framed protobuf.
 * What it is shows in its first bytes, not in its name.
 */
export async function* readCapture(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { head, chunks } = await peek(path === '-' ? stdin : undefined, path);
  const starts = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (starts(GZIP) || starts(ZSTD)) {
    const { createGunzip, createZstdDecompress } = await import('node:zlib');
    const unpack = starts(GZIP) ? createGunzip() : createZstdDecompress();
    const source = chunks ?? rawChunks(path, signal);
    // The pipeline closes the file when the archive turns out to be broken; the reader of `unpack` hears of it.
    const plain = pipeline(Readable.from(source, { objectMode: false }), unpack, () => {});
    yield* textOf(unpacked(plain, path), path);
    return;
  }
  checkEncoding(head, path);
  if (head[0] === 0) {
    yield* textOf(chunks ?? rawChunks(path, signal), path);
    return;
  }
  yield* chunks ? wholeLines(chunks, nameOf(path)) : readLines(path, signal);
}

function nameOf(path: string): string {
  return path === '-' ? 'stdin' : path;
}

function checkEncoding(head: Uint8Array, path: string): void {
  const encoding = wideEncoding(head);
  if (encoding === undefined) return;
  throw new UserError(`read ${nameOf(path)}: the text is ${encoding}, and flows are UTF-8`, {
    hint: `Convert it with "iconv -f ${encoding} -t UTF-8"; Windows PowerShell writes UTF-8 with "| Out-File -Encoding utf8".`,
  });
}

/** The first bytes; of a stream, together with the stream as it was. */
async function peek(
  stream: AsyncIterable<Uint8Array> | undefined,
  path: string,
): Promise<{ head: Uint8Array; chunks?: AsyncIterable<Uint8Array> }> {
  if (!stream) {
    const file = await open(path, 'r').catch(() => undefined);
    // Whoever reads the file says better why it cannot be opened.
    if (!file) return { head: new Uint8Array() };
    try {
      const head = new Uint8Array(4);
      const { bytesRead } = await file.read(head, 0, 4, 0);
      return { head: head.subarray(0, bytesRead) };
    } catch {
      return { head: new Uint8Array() };
    } finally {
      await file.close();
    }
  }
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  const chunks = async function* () {
    try {
      for (let next = first; !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { head: first.done ? new Uint8Array() : first.value, chunks: chunks() };
}

async function* rawChunks(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      signal.throwIfAborted();
      const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** A broken archive still gives what came before the break. */
async function* unpacked(stream: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (cause) {
    throw new CutShort(
      `read ${path}: the archive is broken or ends early: ${errorCode(cause) ?? errorMessage(cause)}`,
      'the break',
      cause,
    );
  }
}

/** Lines as they are; framed messages as lines. */
async function* textOf(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Buffer> {
  const { head, chunks: all = chunks } = await peek(chunks, path);
  checkEncoding(head, path);
  if (head[0] !== 0) {
    yield* wholeLines(all, nameOf(path));
    return;
  }
  const reader = new FrameReader();
  let count = 0;
  // Bytes of zero, which a file may end in after a crash, look like messages of nothing.
  const textOfMessage = (bytes: Buffer) => {
    count++;
    if (bytes.length === 0) throw new FrameError(`message ${count} is empty`);
    return `${JSON.stringify(decode('observer.GetFlowsResponse', bytes))}\n`;
  };
  try {
    for await (const chunk of all) {
      const messages = reader.push(Buffer.from(chunk)).flatMap((whole) => [...messagesOf(whole)]);
      const lines = messages.map(textOfMessage);
      if (lines.length > 0) yield Buffer.from(lines.join(''));
    }
  } catch (cause) {
    if (!(cause instanceof FrameError) && !(cause instanceof WireError)) throw cause;
    throw new UserError(`read ${path}: it is no capture of framed messages: ${cause.message}`, { cause });
  }
  if (reader.pending > 0)
    throw new CutShort(`read ${path}: the last message is cut off after ${reader.pending} bytes`, 'it');
}
