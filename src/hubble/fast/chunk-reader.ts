import { FlowRow } from '../../model/flow-row.ts';
import type { FlowFilter, GetFlowsResponse } from '../../model/hubble.gen.ts';
import type { LineReader } from '../captures/line-reader.ts';
import { canonicalLine } from './canonical-regex.ts';
import { canScan, LineScanner, LONGEST_SCANNED } from './line-scanner.ts';
import { type Needles, needlesOf } from './needles.ts';

/** What is done with the records of a chunk; each says whether more are wanted. */
export interface RecordVisitor {
  /** The bytes from `start` to `end` are a record that is wanted, in canonical form, newline included. */
  raw(start: number, end: number): boolean;
  message(message: GetFlowsResponse): boolean;
  /** The row is filled again for the next record. */
  row(row: FlowRow): boolean;
}

/** How a chunk's records are wanted. */
export interface ChunkOptions {
  /** Canonical lines are handed on as they stand. */
  raw: boolean;
  /** More is read of a flow than the scanners capture. */
  wholeFlows: boolean;
  filters: { allow: readonly FlowFilter[]; deny: readonly FlowFilter[] };
  /** There are bounds in time. */
  timed: boolean;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Finds the records of a chunk of whole lines: fast where lines are canonical, by the parser where they are not. */
export type ChunkReader = (chunk: Buffer, visitor: RecordVisitor) => boolean;

/** The fastest reader that gives what is wanted. */
export function chunkReader(reader: LineReader, options: ChunkOptions): ChunkReader {
  const { allow, deny } = options.filters;
  const all = [...allow, ...deny];
  if (all.length === 0 && !options.timed) {
    if (options.raw)
      return eachLine(
        reader,
        copy(() => true),
      );
    if (!options.wholeFlows) return eachLine(reader, rows());
  }
  const needles = needlesOf(allow);
  const scannable = canScan(all) && (options.raw || !options.wholeFlows);
  const choose: LineStep = scannable ? chosen(reader, all, options) : whole(reader);
  return eachLine(reader, needles === undefined ? choose : withNeedles(needles, choose));
}

/** A chunk as the steps see it. */
interface Chunk {
  /** One character per byte. */
  text: string;
  visitor: RecordVisitor;
  /** Whether the line between two places has a backslash. */
  escapes(from: number, to: number): boolean;
}

/** What to do with a line: whether more are wanted, or undefined when the line has to be parsed. */
type LineStep = (chunk: Chunk, start: number, end: number) => boolean | undefined;

function eachLine(reader: LineReader, step: LineStep): ChunkReader {
  return (bytes, visitor) => {
    const text = bytes.toString('latin1');
    const backslashes = new Finder('\\');
    const chunk: Chunk = {
      text,
      visitor,
      escapes: (from, to) => backslashes.isBetween(text, from, to),
    };
    for (let at = 0; at < bytes.length; ) {
      if (bytes[at] === NEWLINE) {
        reader.number++;
        at++;
        continue;
      }
      const end = endOfLine(bytes, at);
      reader.number++;
      const more =
        (end - at <= LONGEST_SCANNED ? step(chunk, at, end) : undefined) ??
        parseLine(reader, bytes, at, end, visitor);
      if (!more) return false;
      at = end + 1;
    }
    return true;
  };
}

/** Finds a text in one stretch after the other of a longer one, looking at everything once. */
class Finder {
  #next = -2;
  #within = '';

  constructor(private readonly needle: string) {}

  isBetween(text: string, from: number, to: number): boolean {
    if (text !== this.#within) {
      this.#within = text;
      this.#next = -2;
    }
    if (this.#next !== -1 && this.#next < from) this.#next = text.indexOf(this.needle, from);
    return this.#next !== -1 && this.#next < to;
  }

  /** Whether `what` follows on every occurrence. */
  isAlwaysBefore(what: string, text: string, from: number, to: number): boolean {
    for (let at = from; this.isBetween(text, at, to); at = this.#next + 1) {
      if (!text.startsWith(what, this.#next + this.needle.length)) return false;
    }
    return true;
  }
}

/** Everything that is canonical is wanted as it stands. */
function copy(isWanted: () => boolean): LineStep {
  const { regex } = canonicalLine('observer.GetFlowsResponse', new Set());
  return ({ text, visitor }, start, end) => {
    regex.lastIndex = start;
    // News of nodes and lost events are no flows, and go other ways.
    if (!text.startsWith('{"flow":{', start) || !regex.test(text)) return undefined;
    return isWanted() ? visitor.raw(start, end + 1) : true;
  };
}

/** What is canonical needs no check: its JSON is the message. */
function whole(reader: LineReader): LineStep {
  const { regex } = canonicalLine('observer.GetFlowsResponse', new Set());
  return ({ text, visitor }, start, end) => {
    regex.lastIndex = start;
    if (!text.startsWith('{"flow":{', start) || !regex.test(text)) return undefined;
    const message = JSON.parse(text.slice(start, end)) as GetFlowsResponse;
    return reader.isWanted(message) ? visitor.message(message) : true;
  };
}

/** Every flow is printed. */
function rows(): LineStep {
  const scanner = new LineScanner({ rows: true, filters: [], timed: false });
  const row = new FlowRow();
  return ({ text, visitor, escapes }, start, end) => {
    if (!scanner.scan(text, start, escapes(start, end))) return undefined;
    scanner.fill(row);
    return visitor.row(row);
  };
}

/** Flows are chosen, and printed, by what the scanner captures of them. */
function chosen(reader: LineReader, filters: readonly FlowFilter[], { raw, timed }: ChunkOptions): LineStep {
  const scanner = new LineScanner({ rows: !raw, filters, timed });
  const row = new FlowRow();
  return ({ text, visitor, escapes }, start, end) => {
    if (!scanner.scan(text, start, escapes(start, end))) return undefined;
    const time = scanner.time();
    if (!reader.isWanted({ flow: scanner.flow(), ...(time && { time }) })) return true;
    if (raw) return visitor.raw(start, end + 1);
    scanner.fill(row);
    return visitor.row(row);
  };
}

/** A line without a needle is passed over, once it is known that no other spelling hides one. */
function withNeedles({ texts, enums, anySpelling }: Needles, step: LineStep): LineStep {
  const finders = texts.map((text) => new Finder(text));
  const keys = anySpelling ? enums.map((name) => new Finder(`${lastWord(name)}"`)) : [];
  const skip: LineStep = anySpelling
    ? ({ text, escapes }, start, end) => {
        // Too little to be a whole line: the parser shall say so.
        if (text[start] !== '{' || text[end - 1] !== '}' || escapes(start, end)) return undefined;
        return keys.every((key) => key.isAlwaysBefore(':"', text, start, end)) ? true : undefined;
      }
    : copy(() => false);
  return (chunk, start, end) =>
    finders.some((finder) => finder.isBetween(chunk.text, start, end))
      ? step(chunk, start, end)
      : skip(chunk, start, end);
}

/** JSON may spell `drop_reason_desc` as `dropReasonDesc`: what both end with. */
function lastWord(name: string): string {
  const at = name.lastIndexOf('_');
  return at === -1 ? name : name.slice(at + 2);
}

function endOfLine(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(NEWLINE, from);
  return found === -1 ? chunk.length : found;
}

function parseLine(
  reader: LineReader,
  chunk: Buffer,
  start: number,
  end: number,
  visitor: RecordVisitor,
): boolean {
  const trimmed = end > start && chunk[end - 1] === RETURN ? end - 1 : end;
  const message = reader.read(chunk.subarray(start, trimmed));
  return message === undefined || visitor.message(message);
}
