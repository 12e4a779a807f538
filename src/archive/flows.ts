import { UserError } from '../errors.ts';
import { LineSplitter } from '../lib/line-splitter.ts';
import type { ArchiveFiles } from './files.ts';

/** No flow takes more. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** Lines are handed on in pieces of about this size. */
const PIECE_BYTES = 256 * 1024;
const NEWLINE = Buffer.from('\n');

/** A file that is read line by line, and its next line. */
interface Reader {
  lines: AsyncGenerator<Buffer>;
  line: Buffer;
  time: string;
}

/** Told of a capture whose last line breaks off: it is left out. */
export type OnCut = (name: string) => Promise<void>;

/** The records of several captures, each of which is in the order of its times, as one. */
export async function* mergedFlows(
  files: ArchiveFiles,
  names: readonly string[],
  onCut: OnCut,
): AsyncGenerator<Buffer> {
  const readers: Reader[] = [];
  const take = async (reader: Omit<Reader, 'line'>): Promise<void> => {
    const next = await reader.lines.next();
    if (next.done) return;
    // News of a node stand where they were told.
    const time = timeOf(next.value) ?? reader.time;
    const at = readers.findIndex((other) => other.time > time);
    readers.splice(at < 0 ? readers.length : at, 0, { ...reader, line: next.value, time });
  };
  try {
    for (const name of names) await take({ lines: linesOf(files, name, onCut), time: '' });
    let piece: Buffer[] = [];
    let size = 0;
    for (let first = readers.shift(); first; first = readers.shift()) {
      piece.push(first.line, NEWLINE);
      size += first.line.length + 1;
      await take(first);
      if (size < PIECE_BYTES) continue;
      yield Buffer.concat(piece, size);
      [piece, size] = [[], 0];
    }
    if (size > 0) yield Buffer.concat(piece, size);
  } finally {
    for (const { lines } of readers) await lines.return(undefined);
  }
}

async function* linesOf(files: ArchiveFiles, name: string, onCut: OnCut): AsyncGenerator<Buffer> {
  const splitter = new LineSplitter(MAX_LINE_BYTES);
  const whole = ({ bytes, length }: { bytes: Buffer; length: number }) => {
    if (length > bytes.length)
      throw new UserError(`${files.label}: ${name} is no capture of flows: one of its lines does not end`);
    return bytes;
  };
  for await (const chunk of files.stream(name))
    for (const line of splitter.push(chunk)) if (line.length > 0) yield whole(line);
  if (splitter.pending === 0) return;
  const last = whole(splitter.rest());
  if (isWhole(last)) yield last;
  else await onCut(name);
}

/** Whether a last line without an end is all of a record: the collector may have been killed in the middle of it. */
function isWhole(line: Buffer): boolean {
  try {
    JSON.parse(line.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

const TIME = '"time":"';

/** When a flow was seen, so that texts sort as times do. */
function timeOf(line: Buffer): string | undefined {
  const at = line.indexOf(TIME);
  if (at < 0) return undefined;
  const text = line.toString('latin1', at + TIME.length, at + TIME.length + 36);
  const [, whole, digits = ''] = /^([\dT:-]{19})(?:\.(\d*))?Z"/.exec(text) ?? [];
  return whole === undefined ? undefined : `${whole}.${digits.padEnd(9, '0')}`;
}
