import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { glob, open, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode, errorMessage, systemReason, UserError } from '../../errors.ts';
import { wideEncoding } from '../../lib/encoding.ts';
import { FrameError, FrameReader, messagesOf } from '../grpc/frames.ts';
import { idOfJournal, isPartition, partName } from '../parquet/names.ts';
import { decode } from '../protobuf/codec.ts';
import { WireError } from '../protobuf/wire.ts';
import { readLines, wholeLines } from './whole-lines.ts';

/** Names that a folder may hold besides captures are left out. */
const CAPTURE = /\.(?:json|jsonl|ndjson|log|grpc|proto|pb|parquet)(?:\.\d+)?(?:\.(?:gz|zst))?$/;

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
    else if (statOf(resolve(cwd, word))?.isDirectory())
      files.push(...(await capturesIn(resolve(cwd, word), flag)));
    else if (/[*?[\]{}]/.test(word) && !statOf(resolve(cwd, word))) {
      const found = await Array.fromAsync(glob(word, { cwd }));
      if (found.length === 0) throw new UserError(`${flag}: no file matches ${word}`);
      files.push(...oldestFirst(found).map((name) => resolve(cwd, name)));
    } else files.push(resolve(cwd, word));
  }
  return files;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Files of Parquet in the folders of a recording, by day, hour and namespace. */
async function partsBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /(?:^|\/)[^./][^/]*\.parquet$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function capturesIn(folder: string, flag: string): Promise<string[]> {
  const all = await readdir(folder);
  // A folder of "hubble record --format parquet" has one below it for each day; what is no file of Parquet yet is a capture.
  if (all.some(isPartition)) {
    const journals = all.filter((name) => idOfJournal(name) !== undefined);
    // A recorder makes files of a journal, or ended while it did: the journal has all that stands in them.
    const unfinished = new Set(journals.map((name) => partName(idOfJournal(name) ?? '')));
    const parts = (await partsBelow(folder)).filter((path) => !unfinished.has(basename(path)));
    return [...parts, ...journals.map((name) => join(folder, name))];
  }
  const names = all.filter((name) => CAPTURE.test(name));
  if (names.length === 0)
    throw new UserError(`${flag}: the folder ${folder} holds no captures`, {
      hint: 'Captures end in .json, .jsonl, .ndjson, .log, .proto or .grpc, and .gz or .zst after that.',
    });
  return oldestFirst(names).map((name) => join(folder, name));
}

/** What a journal has become that is gone; none for a file that is there, and for one that was no journal. */
async function partsOfJournal(path: string): Promise<string[]> {
  const id = idOfJournal(basename(path));
  if (id === undefined || statOf(path)) return [];
  return (await partsBelow(dirname(path))).filter((part) => basename(part) === partName(id));
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

const HEAD_BYTES = 4;
/** Of a read, of what is packed and of a pipe. */
const FILE_BYTES = 1024 * 1024;
const PIPE_BYTES = 128 * 1024;
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const PARQUET = [...Buffer.from('PAR1')];

/**
 * Reads a capture as chunks of whole JSON lines, whatever it is: plain, gzip or zstd, JSON lines or framed protobuf.
 * What it is shows in its first bytes, not in its name.
 */
export async function* readCapture(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const parts = await partsOfJournal(path);
  for (const part of parts) yield* parquetLines(part);
  if (parts.length > 0) return;
  // What is no file can be opened once: who writes to a pipe ends when its reader does.
  const stream = path === '-' ? stdin : isStream(path) ? rawChunks(path, signal, PIPE_BYTES) : undefined;
  const { head, chunks } = stream ? await peek(stream) : { head: firstBytes(path), chunks: undefined };
  const starts = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (starts(PARQUET)) {
    yield* parquetLines(path);
    return;
  }
  if (starts(GZIP) || starts(ZSTD)) {
    const { createGunzip, createZstdDecompress } = await import('node:zlib');
    const { pipeline, Readable } = await import('node:stream');
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

function isStream(path: string): boolean {
  const found = statOf(path);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

/** The first bytes of a stream, together with the stream as it was. */
async function peek(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; chunks: AsyncIterable<Uint8Array> }> {
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

/** Of a file whose bytes have a place. */
function firstBytes(path: string): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const head = new Uint8Array(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } catch {
    // Whoever reads the file says better why it cannot be opened.
    return new Uint8Array();
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function* rawChunks(path: string, signal: AbortSignal, size = FILE_BYTES): AsyncGenerator<Buffer> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new UserError(`open ${path}: ${systemReason(cause)}`, { cause });
  });
  try {
    for (;;) {
      signal.throwIfAborted();
      const buffer = Buffer.allocUnsafeSlow(size);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The records of a file of Parquet, as lines. It is read from its end, so that a stream cannot be one. */
async function* parquetLines(path: string): AsyncGenerator<Buffer> {
  if (path === '-')
    throw new UserError('read stdin: it is Parquet, which is read from its end', {
      hint: 'Name the file instead of sending it through a pipe.',
    });
  const { readRecords } = await import('../parquet/part.ts');
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const slice = async (start: number, end = size): Promise<ArrayBuffer> => {
      const bytes = new ArrayBuffer(end - start);
      await file.read(new Uint8Array(bytes), 0, end - start, start);
      return bytes;
    };
    for await (const lines of readRecords({ byteLength: size, slice }))
      yield Buffer.from(lines.map((line) => `${line}\n`).join(''));
  } catch (cause) {
    if (cause instanceof UserError) throw new UserError(`read ${path}: ${cause.message}`, { cause });
    throw new UserError(`read ${path}: it is no file of Parquet that holds flows: ${errorMessage(cause)}`, {
      hint: 'Files of "hubble record --format parquet" have the record in the column "record".',
      cause,
    });
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
  const { head, chunks: all } = await peek(chunks);
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
