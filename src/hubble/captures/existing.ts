import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../../errors.ts';
import { wideEncoding } from '../../lib/encoding.ts';
import { MAX_MESSAGE_BYTES } from '../grpc/frames.ts';
import { decode } from '../protobuf/codec.ts';
import { ProtoJsonError } from '../protobuf/protojson.ts';
import { WireError } from '../protobuf/wire.ts';
import { parseRecord, withoutMark } from './record-line.ts';

/** Form of the records of a capture. */
export type CaptureFormat = 'json' | 'proto';

/** How a capture that is to be continued ends. */
export interface CaptureEnd {
  /** Bytes up to the end of the last whole record. */
  wholeBytes: number;
  /** Bytes of a record behind it that was not written to its end. */
  cutBytes: number;
  /** The last record is whole but for its newline. */
  lacksNewline: boolean;
}

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
/** Byte of flags and length. */
const HEADER_BYTES = 5;
/** How a record that this program or the reference writes begins. */
const RECORD_START = /^\{"(?:flow|node_status|lost_events)":/;
const UNTOUCHED = 'Nothing was written to it. Record into another file.';

/**
 * Looks at a capture that is to be continued: it has to hold flows in the form that is asked for. Throws UserError
 * when it does not, so that no foreign file is written to.
 */
export async function examineCapture(path: string, format: CaptureFormat): Promise<CaptureEnd> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return { wholeBytes: 0, cutBytes: 0, lacksNewline: false };
    const head = await readAt(file, 0, 4);
    const fault = await foreignness(file, head, size);
    if (fault) throw new UserError(`${path} ${fault}`, { hint: UNTOUCHED });
    const found: CaptureFormat = head[0] === 0 ? 'proto' : 'json';
    if (found !== format)
      throw new UserError(
        `${path} holds records of the form ${found}, to which ${format} cannot be appended`,
        {
          hint: `Record with --format ${found}, or into another file.`,
        },
      );
    const end = format === 'proto' ? await endOfFrames(file, size) : await endOfLines(file, size);
    if (typeof end === 'string') throw new UserError(`${path} ${end}`, { hint: UNTOUCHED });
    return end;
  } finally {
    await file.close();
  }
}

/** Whether a file begins as a capture of either form does; an empty one counts. */
export async function isCapture(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return size === 0 || (await foreignness(file, await readAt(file, 0, 4), size)) === undefined;
  } finally {
    await file.close();
  }
}

/** Why a file is no capture that can be continued; undefined when it is one. */
async function foreignness(file: FileHandle, head: Buffer, size: number): Promise<string | undefined> {
  const magic = head.toString('hex');
  if (magic.startsWith('1f8b') || magic === '28b52ffd')
    return 'is compressed, and records cannot be appended to it';
  if (wideEncoding(head)) return 'is not a capture: its text is not UTF-8';
  const first = head[0] === 0 ? await firstFrame(file, size) : await firstLine(file);
  return first ? undefined : 'exists and is not a capture of flows';
}

async function firstFrame(file: FileHandle, size: number): Promise<boolean> {
  const length = (await readAt(file, 0, HEADER_BYTES)).readUInt32BE(1);
  if (size < HEADER_BYTES + length || length > MAX_MESSAGE_BYTES) return false;
  try {
    const message = decode('observer.GetFlowsResponse', await readAt(file, HEADER_BYTES, length));
    return Object.keys(message).length > 0;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** Whether the first line is a record, or the start of one where it is the only one. */
async function firstLine(file: FileHandle): Promise<boolean> {
  let line = Buffer.alloc(0);
  for (let end = -1; end < 0 && line.length < MAX_MESSAGE_BYTES; ) {
    const chunk = await readAt(file, line.length, CHUNK_BYTES);
    if (chunk.length === 0) return isRecord(line) || RECORD_START.test(line.toString('latin1', 0, 32));
    end = chunk.indexOf(NEWLINE);
    line = Buffer.concat([line, end < 0 ? chunk : chunk.subarray(0, end)]);
  }
  return isRecord(line);
}

function isRecord(line: Buffer): boolean {
  try {
    return Object.keys(parseRecord(withoutMark(line.toString('utf8')), { ignoreUnknown: true })).length > 0;
  } catch (error) {
    if (error instanceof ProtoJsonError) return false;
    throw error;
  }
}

/** The end of a capture of lines, or why it has none. */
async function endOfLines(file: FileHandle, size: number): Promise<CaptureEnd | string> {
  let tail = Buffer.alloc(0);
  for (let from = size; from > 0 && !tail.includes(NEWLINE); ) {
    const start = Math.max(0, from - CHUNK_BYTES);
    tail = Buffer.concat([await readAt(file, start, from - start), tail]);
    from = start;
    if (tail.length > MAX_MESSAGE_BYTES) return 'ends with a line that is longer than any record';
  }
  const last = tail.subarray(tail.lastIndexOf(NEWLINE) + 1);
  if (last.length === 0) return { wholeBytes: size, cutBytes: 0, lacksNewline: false };
  if (isRecord(last)) return { wholeBytes: size, cutBytes: 0, lacksNewline: true };
  const text = last.toString('utf8');
  if (!/^\{(?:"|$)/.test(text) || isJson(text)) return 'does not end with a record of a flow';
  return { wholeBytes: size - last.length, cutBytes: last.length, lacksNewline: false };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The end of a capture of framed messages, or why it has none. */
async function endOfFrames(file: FileHandle, size: number): Promise<CaptureEnd | string> {
  let at = 0;
  let chunk: Buffer = Buffer.alloc(0);
  let chunkAt = 0;
  for (;;) {
    if (at + HEADER_BYTES > chunkAt + chunk.length) {
      chunkAt = at;
      chunk = await readAt(file, at, CHUNK_BYTES);
      if (chunk.length < HEADER_BYTES) break;
    }
    const header = at - chunkAt;
    const length = chunk.readUInt32BE(header + 1);
    if (chunk[header] !== 0 || length > MAX_MESSAGE_BYTES)
      return `holds something that is not a record, after ${at} bytes`;
    if (at + HEADER_BYTES + length > size) break;
    at += HEADER_BYTES + length;
  }
  return { wholeBytes: at, cutBytes: size - at, lacksNewline: false };
}

/** Up to `length` bytes from a place of a file. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
