import { COLUMN_FIELDS, FlowRow, POLICY_FIELDS, policiesOf } from '../../model/flow-row.ts';
import type { Flow, FlowFilter, GetFlowsResponse } from '../../model/hubble.gen.ts';
import type { LineReader } from '../captures/line-reader.ts';
import { framesOf, withoutHead } from '../grpc/frames.ts';
import { decode } from '../protobuf/codec.ts';
import { fieldAt, type Kind } from '../protobuf/schema.ts';
import { filterPaths } from './filter-paths.ts';
import { HOLES, markHoles, piecesOf } from './holes.ts';
import { type Call, INPUT_BYTES, Machine, type TextTaker } from './machine.ts';

/** What is done with the records of a chunk; each says whether more are wanted. */
export interface RecordVisitor extends TextTaker {
  message(message: GetFlowsResponse): boolean;
  /** The row is filled again for the next record. What is in it is as it came. */
  row(row: FlowRow): boolean;
}

/** How lines are made of rows. Those that differ in what fills their holes alone are made once. */
export interface LinePrinter {
  /** Makes the texts of a row safe. */
  clean(row: FlowRow): void;
  /** The line of a row, whose time is printed as it stands. */
  line(row: FlowRow): string;
  /** Makes text of a line what a terminal is to get. */
  safe(text: string): string;
  /** What stands before and behind the fraction of a second, given as `2006-01-02T15:04:05`. */
  second(second: string): readonly [string, string];
  /** Digits of the fraction; trimmed, it has no zeros at its end, and a dot in front when it has digits. */
  digits: number;
  trimmed: boolean;
}

const END_OF_PIECES = 255;
/** The length of a piece is written in two bytes. */
const MOST_PIECE_BYTES = 0xffff;

/** How a chunk's records are wanted. */
export interface ScanOptions {
  /** Canonical lines, rows, or whole messages. */
  want: 'json' | 'rows' | 'messages';
  filters: { allow: readonly FlowFilter[]; deny: readonly FlowFilter[] };
  /** There are bounds in time. */
  timed: boolean;
  /** Of messages, the fields of a flow that are read: others may be left out. */
  fields?: readonly (keyof Flow)[];
  /** Rows have the policies that decided. */
  policies?: boolean;
  /** Rows become lines. */
  printer?: LinePrinter;
  /** Lines that the parser reads first: to make the scanner ready takes as long as fifty of them. */
  parsedFirst?: number;
}

/** Finds the records of a chunk of whole lines. */
export type ChunkReader = (chunk: Buffer, visitor: RecordVisitor) => boolean;

/** The fastest reader that gives what is wanted. */
export function chunkReader(reader: LineReader, options: ScanOptions): ChunkReader {
  const paths = filterPaths([...options.filters.allow, ...options.filters.deny]);
  let parsed = paths === undefined ? Number.POSITIVE_INFINITY : (options.parsedFirst ?? PARSED_FIRST);
  let scanner: Scanner | undefined;
  return (chunk, visitor) => {
    let start = 0;
    if (chunk.length > MANY_BYTES && Number.isFinite(parsed)) parsed = 0;
    for (; parsed > 0 && start < chunk.length; parsed--) {
      const end = endOfLine(chunk, start);
      reader.number++;
      if (chunk[start] !== NEWLINE && !parseLine(reader, chunk.subarray(start, end), visitor)) return false;
      start = end + 1;
    }
    if (start >= chunk.length) return true;
    scanner ??= new Scanner(reader, options, paths ?? []);
    return scanner.read(chunk.subarray(start), visitor);
  };
}

const PARSED_FIRST = 50;
/** So many bytes at once are worth a scanner from the first line on. */
const MANY_BYTES = 128 * 1024;
/** Values that are shared, and lookups after which it shows whether that is worth it. */
const MOST_SHARED = 2048;
const WORTH_ASKING = 512;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

function endOfLine(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(NEWLINE, from);
  return found === -1 ? chunk.length : found;
}

function parseLine(reader: LineReader, line: Buffer, visitor: RecordVisitor): boolean {
  const message = reader.read(line.at(-1) === RETURN ? line.subarray(0, -1) : line);
  return message === undefined || visitor.message(message);
}

/** Reads the answers that one read of a server brought, whole messages behind their heads. */
export type AnswerReader = (answers: readonly Buffer[], visitor: RecordVisitor) => void;

/** The fastest reader of answers that gives what is wanted. `reader` is for lines without a filter. */
export function answerReader(reader: LineReader, options: ScanOptions): AnswerReader {
  let decoded =
    options.want === 'messages' ? Number.POSITIVE_INFINITY : (options.parsedFirst ?? PARSED_FIRST);
  let scanner: Scanner | undefined;
  /** Has the codec read the first ones; returns what is left. */
  const decodeFirst = (whole: Buffer, visitor: RecordVisitor): Buffer => {
    let left = 0;
    for (const framed of framesOf(whole)) {
      if (decoded <= 0) break;
      decoded--;
      left += framed.length;
      visitor.message(decode('observer.GetFlowsResponse', withoutHead(framed)));
    }
    return whole.subarray(left);
  };
  return (answers, visitor) => {
    const left = decoded > 0 ? answers.map((whole) => decodeFirst(whole, visitor)) : answers;
    if (left.every(({ length }) => length === 0)) return;
    scanner ??= new Scanner(reader, options, []);
    scanner.readAnswers(left, visitor);
  };
}

/** A field of a flow, where scan.c keeps it. */
interface Kept {
  name: string;
  slot: number;
  kind: Kind;
  repeated: boolean;
  children: readonly Kept[];
  /** How often its value was looked up among those that were there before, and found. */
  shared: { asked: number; found: number };
}

class Scanner {
  readonly #machine: Machine;
  readonly #columns: readonly { at: Kept; column: number }[];
  readonly #policies: readonly Kept[];
  readonly #filtered: readonly Kept[];
  readonly #fields: readonly Kept[];
  readonly #time: number;
  readonly #row = new FlowRow();

  constructor(
    private readonly reader: LineReader,
    private readonly options: ScanOptions,
    paths: readonly string[],
  ) {
    const { want, filters, timed, printer, policies = false, fields = [] } = options;
    const columns = want === 'rows' ? COLUMN_FIELDS : [];
    const lists = policies ? POLICY_FIELDS : [];
    const printed = [...columns.map(({ path }) => path), ...lists].map((path) => `flow.${path}`);
    const judges = timed || filters.allow.length > 0 || filters.deny.length > 0;
    this.#machine = new Machine({
      paths: [
        'flow',
        ...fields.map((name) => `flow.${name}`),
        ...(timed ? ['time'] : []),
        ...printed,
        ...paths.map((path) => `flow.${path}`),
      ],
      mode: want,
      judges,
      // Times differ from line to line.
      judgedBy: timed ? undefined : paths.map((path) => `flow.${path}`),
      printed: printer && printed,
      holes: HOLES,
      digits: printer?.digits ?? 0,
      trimmed: printer?.trimmed ?? false,
    });
    const kept = (path: string): Kept => ({ ...keptAt(path), slot: this.#machine.slotOf(`flow.${path}`) });
    this.#columns = columns.map(({ path, slot }) => ({ at: kept(path), column: slot }));
    this.#policies = lists.map(kept);
    this.#filtered = treeOf(paths, '', (path) => this.#machine.slotOf(`flow.${path}`));
    this.#fields = fields.map((name) => kept(name));
    this.#time = timed ? this.#machine.slotOf('time') : -1;
  }

  read(chunk: Buffer, visitor: RecordVisitor): boolean {
    for (let start = 0; start < chunk.length; ) {
      let end = Math.min(chunk.length, start + INPUT_BYTES);
      if (end < chunk.length) end = chunk.lastIndexOf(NEWLINE, end - 1) + 1;
      if (end > start) {
        if (!this.#read(chunk.subarray(start, end), visitor)) return false;
      } else {
        end = chunk.indexOf(NEWLINE, start) + 1 || chunk.length;
        this.reader.number++;
        if (!parseLine(this.reader, chunk.subarray(start, end), visitor)) return false;
      }
      start = end;
    }
    return true;
  }

  /** Reads answers of a server, whole messages behind their heads. */
  readAnswers(answers: readonly Buffer[], visitor: RecordVisitor): void {
    const machine = this.#machine;
    machine.beginAnswers();
    for (const whole of answers) {
      for (let at = 0; at < whole.length; ) {
        machine.loadAnswers(whole.subarray(at, at + INPUT_BYTES));
        for (let call = machine.runAnswers(); call !== 'done'; call = machine.runAnswers()) {
          if (call === 'parse') this.#decode(machine.line(), visitor);
          else this.#answer(call, visitor);
        }
        const [longer] = machine.readBytes === 0 ? framesOf(whole.subarray(at)) : [];
        if (longer) this.#decode(withoutHead(longer), visitor);
        at += longer?.length ?? machine.readBytes;
      }
    }
    machine.flush(visitor);
  }

  /** Leaves a message to the codec. */
  #decode(bytes: Buffer, visitor: RecordVisitor): void {
    this.#machine.flush(visitor);
    visitor.message(decode('observer.GetFlowsResponse', bytes));
  }

  /** Reads whole lines, and does what scan.c leaves to its caller. */
  #read(lines: Buffer, visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    const { reader } = this;
    const before = reader.number;
    machine.load(lines, visitor.most());
    machine.ignoreUnknown(reader.ignoresUnknown);
    for (;;) {
      const call = machine.run();
      reader.number = before + machine.lineCount;
      if (call === 'done') return machine.flush(visitor);
      if (!this.#answer(call, visitor)) return false;
    }
  }

  #answer(call: Exclude<Call, 'done'>, visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    switch (call) {
      case 'full':
        return machine.flush(visitor, true);
      case 'parse': {
        const more = this.#parse(visitor);
        machine.ignoreUnknown(this.reader.ignoresUnknown);
        return more;
      }
      case 'decide':
        machine.decide(this.#isWanted());
        return true;
      case 'message':
        return this.#message(visitor);
      case 'row':
        this.#fill();
        return machine.flush(visitor) && visitor.row(this.#row);
      case 'line':
        return this.#line(visitor);
      case 'second': {
        const second = machine.text(machine.slotOf('flow.time')).slice(0, 19);
        const [front, behind] = this.options.printer?.second(second) ?? ['', ''];
        machine.setSecond(second, front, behind);
        return true;
      }
    }
  }

  #parse(visitor: RecordVisitor): boolean {
    return this.#machine.flush(visitor) && parseLine(this.reader, this.#machine.line(), visitor);
  }

  /** The message of a line that was taken and is wanted. */
  #message(visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    if (!machine.isCanonical) return this.#parse(visitor);
    if (!machine.flush(visitor)) return false;
    return visitor.message(
      this.#fields.length > 0 && machine.isAscii
        ? { flow: this.#parts() as Flow }
        : (JSON.parse(machine.line().toString()) as GetFlowsResponse),
    );
  }

  /** The fields of a flow that are read. The same text gives the same value, which is shared: ends and services repeat. */
  #parts(): object {
    const flow: Record<string, unknown> = {};
    for (const field of this.#fields) {
      if (!this.#machine.isSet(field.slot)) continue;
      flow[field.name] =
        field.kind === 'message' || field.repeated ? this.#shared(field) : this.#value(field);
    }
    return flow;
  }

  #shared(field: Kept): unknown {
    const machine = this.#machine;
    const { slot, shared } = field;
    const read = (): unknown => JSON.parse(machine.text(slot));
    // What is another one each time, such as ports, is not worth looking up.
    if (shared.asked > WORTH_ASKING && shared.found * 2 < shared.asked) return read();
    shared.asked++;
    const number = machine.numberOf(slot);
    if (number > 0) {
      shared.found++;
      return this.#values[number];
    }
    const value = read();
    if (this.#values.length > MOST_SHARED) {
      machine.forgetNumbers();
      this.#values.length = 1;
    }
    machine.keepNumber(this.#values.length);
    this.#values.push(value);
    return value;
  }

  /** By number, from 1. */
  readonly #values: unknown[] = [undefined];

  #isWanted(): boolean {
    const time =
      this.#time === -1 || !this.#machine.isSet(this.#time) ? undefined : this.#machine.text(this.#time);
    return this.reader.isWanted({ flow: this.#flow(this.#filtered) as Flow, ...(time && { time }) });
  }

  /** Of the flow what the filters read. */
  #flow(fields: readonly Kept[]): object {
    const message: Record<string, unknown> = {};
    for (const field of fields) {
      if (!this.#machine.isSet(field.slot)) continue;
      message[field.name] =
        field.kind === 'message' && !field.repeated ? this.#flow(field.children) : this.#value(field);
    }
    return message;
  }

  #fill(): void {
    const row = this.#row;
    row.clear();
    for (const { at, column } of this.#columns) {
      if (!this.#machine.isSet(at.slot)) continue;
      row.values[column] = at.kind === 'message' && !at.repeated ? true : (this.#value(at) as string);
    }
    if (this.#policies.length === 0) return;
    const { eventType: type, direction, verdict } = row;
    const decided = { event_type: { type }, traffic_direction: direction, verdict };
    row.policies = policiesOf({ ...decided, ...this.#flow(this.#policies) } as Flow);
  }

  #value({ slot, kind, repeated }: Kept): unknown {
    const text = this.#machine.text(slot);
    if (repeated) return JSON.parse(text);
    switch (kind) {
      case 'bool':
      case 'boolValue':
        return text === 'true';
      case 'int32':
      case 'uint32':
      case 'int32Value':
      case 'uint32Value':
        return Number(text);
      default:
        return text;
    }
  }

  /** Makes a line that serves for all that differ in what fills its holes. */
  #line(visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    const { printer } = this.options;
    this.#fill();
    printer?.clean(this.#row);
    markHoles(this.#row, (field) => machine.isPlain(machine.slotOf(`flow.${field}`)));
    const pieces: Buffer[] = [];
    let isShort = true;
    for (const { hole, text } of piecesOf(printer?.line(this.#row) ?? '')) {
      const bytes = Buffer.from(printer?.safe(text) ?? '');
      isShort &&= bytes.length <= MOST_PIECE_BYTES;
      pieces.push(Buffer.from([hole, bytes.length & 0xff, bytes.length >> 8]), bytes);
    }
    pieces.push(Buffer.from([END_OF_PIECES]));
    if (isShort && machine.keepLine(Buffer.concat(pieces))) return true;
    // There is no room for it: it is printed by itself.
    machine.skipLine();
    this.#fill();
    return machine.flush(visitor) && visitor.row(this.#row);
  }
}

function keptAt(path: string): Omit<Kept, 'slot'> {
  const field = fieldAt('flow.Flow', path);
  if (!field) throw new Error(`a flow has no field ${path}`);
  return {
    name: field.name,
    kind: field.kind,
    repeated: field.repeated,
    children: [],
    shared: { asked: 0, found: 0 },
  };
}

/** The fields that paths lead to, as a tree. */
function treeOf(paths: readonly string[], before: string, slotOf: (path: string) => number): Kept[] {
  const names = new Set(paths.map((path) => path.split('.', 1)[0] ?? ''));
  return [...names].map((name) => {
    const path = before + name;
    const below = paths.flatMap((one) => (one.startsWith(`${name}.`) ? one.slice(name.length + 1) : []));
    return { ...keptAt(path), slot: slotOf(path), children: treeOf(below, `${path}.`, slotOf) };
  });
}
