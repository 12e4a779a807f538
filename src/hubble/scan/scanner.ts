import { type PathTree, pathTree } from '../../lib/path-tree.ts';
import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import type { LineReader } from '../captures/line-reader.ts';
import { framesOf, withoutHead } from '../grpc/frames.ts';
import { decode } from '../protobuf/codec.ts';
import { type Field, fieldAt } from '../protobuf/schema.ts';
import { lazyFlow } from './lazy-flow.ts';
import { type Call, INPUT_BYTES, type LineMaker, Machine, type TextTaker } from './machine.ts';

/** What is done with the records of a chunk; each says whether more are wanted. */
export interface RecordVisitor extends TextTaker {
  message(message: GetFlowsResponse): boolean;
}

/** How a chunk's records are wanted. */
export interface ScanOptions {
  /** Canonical lines, lines of text, or messages. What is no such line is a message in any case. */
  want: 'json' | LineMaker | 'messages';
  /** Of messages, the fields of a flow that are read: others may be left out. */
  fields?: readonly string[];
  /** Records that the parser reads first: to make the scanner ready takes as long as fifty of them. */
  parsedFirst?: number;
}

const PARSED_FIRST = 50;
/** So many bytes at once are worth a scanner from the first record on. */
const MANY_BYTES = 128 * 1024;
const END_OF_PIECES = 255;
/** The length of a piece is written in two bytes. */
const MOST_PIECE_BYTES = 0xffff;
/** A field that has more values is not worth looking for those that were there before. */
const MOST_SHARED = 4096;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Where records come from. */
interface Source {
  framed: boolean;
  reader: LineReader;
  /** The record at a place of a chunk, and where it ends. */
  next(chunk: Buffer, from: number): { record: Buffer; end: number };
  /** Leaves a record to the parser; undefined when it is not wanted. */
  parse(record: Buffer): GetFlowsResponse | undefined;
}

/** Reads the records of a chunk that holds whole ones; false when no more are wanted. */
export type ChunkReader = (chunk: Buffer, visitor: RecordVisitor) => boolean;

/** The fastest reader of lines that gives what is wanted. */
export function chunkReader(reader: LineReader, options: ScanOptions): ChunkReader {
  const next = (chunk: Buffer, from: number) => {
    reader.number++;
    const end = chunk.indexOf(NEWLINE, from) + 1 || chunk.length;
    return { record: chunk.subarray(from, chunk[end - 1] === NEWLINE ? end - 1 : end), end };
  };
  const parse = (line: Buffer) => reader.read(line.at(-1) === RETURN ? line.subarray(0, -1) : line);
  const read = recordReader({ framed: false, reader, next, parse }, options);
  return (chunk, visitor) => read([chunk], visitor);
}

/** Reads the records of a chunk as messages. */
export function messageReader(
  reader: LineReader,
  options: Pick<ScanOptions, 'fields' | 'parsedFirst'>,
): (chunk: Buffer) => GetFlowsResponse[] {
  const read = chunkReader(reader, { want: 'messages', ...options });
  return (chunk) => {
    const found: GetFlowsResponse[] = [];
    const message = (one: GetFlowsResponse) => found.push(one) > 0;
    // What is wanted as messages is never text.
    read(chunk, { message, texts: () => true, most: () => Number.POSITIVE_INFINITY });
    return found;
  };
}

/** Reads the answers that one read of a server brought, whole messages behind their heads. */
export type AnswerReader = (answers: readonly Buffer[], visitor: RecordVisitor) => boolean;

/** The fastest reader of answers that gives what is wanted. `reader` is for lines without a filter. */
export function answerReader(reader: LineReader, options: ScanOptions): AnswerReader {
  const next = (whole: Buffer, from: number) => {
    const [framed = whole] = framesOf(whole.subarray(from));
    return { record: withoutHead(framed), end: from + framed.length };
  };
  const parse = (bytes: Buffer) => decode('observer.GetFlowsResponse', bytes);
  // Whole messages are for the codec.
  const isWhole = options.want === 'messages' && !options.fields;
  return recordReader(
    { framed: true, reader, next, parse },
    isWhole ? { ...options, parsedFirst: Number.POSITIVE_INFINITY } : options,
  );
}

function recordReader(source: Source, options: ScanOptions): AnswerReader {
  let parsed = options.parsedFirst ?? PARSED_FIRST;
  let scanner: Scanner | undefined;
  return (chunks, visitor) => {
    const left: Buffer[] = [];
    for (const chunk of chunks) {
      let from = 0;
      if (chunk.length > MANY_BYTES && Number.isFinite(parsed)) parsed = 0;
      for (; parsed > 0 && from < chunk.length; parsed--) {
        const { record, end } = source.next(chunk, from);
        const message = source.parse(record);
        if (message && !visitor.message(message)) return false;
        from = end;
      }
      if (from < chunk.length) left.push(chunk.subarray(from));
    }
    if (left.length === 0) return true;
    scanner ??= new Scanner(source, options);
    return scanner.read(left, visitor);
  };
}

/** A field of a flow, where scan.c keeps it. */
interface Kept {
  field: Field;
  slot: number;
  children: readonly Kept[];
  /** Values by their JSON: what is the same is shared. */
  known?: Map<string, unknown> | undefined;
}

class Scanner {
  readonly #lines: LineMaker | undefined;
  readonly #wanted: readonly string[] | undefined;
  /** The fields that filters asked for, and those of them that are kept. */
  readonly #asked = new Set<string>();
  #judged = new Map<string, Kept>();
  /** The flow of the record, as filters read it. */
  readonly #judgedFlow = lazyFlow((path, { kind, repeated }) => {
    const kept = this.#judged.get(path);
    if (kept && !this.#machine.isSet(kept.slot)) return undefined;
    if (!kept) this.#asked.add(path);
    // Of a message that is not kept it shows at once what is asked of it.
    if (kind === 'message' && !repeated) return true;
    return kept && this.#value(kept);
  });
  #machine: Machine;
  #fields: readonly Kept[] | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: ScanOptions,
  ) {
    const { want, fields } = options;
    this.#lines = typeof want === 'string' ? undefined : want;
    this.#wanted = fields ?? (source.framed ? this.#lines?.fields : undefined);
    // Of a flow of which nothing is kept they ask for nearly all that they read.
    source.reader.isWanted({ flow: this.#judgedFlow });
    this.#machine = this.#newMachine();
  }

  /** A machine that keeps the fields which are known to be read. */
  #newMachine(): Machine {
    const { want } = this.options;
    const { judges, isTimed } = this.source.reader;
    const lines = this.#lines;
    const machine = new Machine({
      fields: this.#wanted ?? [],
      mode: want === 'json' ? 'json' : lines ? 'text' : 'records',
      framed: this.source.framed,
      judges,
      isTimed,
      judgedBy: [...this.#asked],
      lines,
    });
    const slotOf = (path: string) => machine.slotOf(path);
    this.#fields = this.#wanted && keptOf(pathTree(this.#wanted), '', slotOf);
    this.#judged = new Map([...this.#asked].map((path) => [path, keptAt(path, slotOf(path), [])]));
    return machine;
  }

  read(chunks: readonly Buffer[], visitor: RecordVisitor): boolean {
    this.#machine.begin(visitor.most());
    for (const chunk of chunks) {
      for (let from = 0; from < chunk.length; ) {
        const end = Math.min(chunk.length, from + INPUT_BYTES);
        this.#machine.load(chunk.subarray(from, end), end === chunk.length);
        if (!this.#run(visitor)) return false;
        const { readBytes } = this.#machine;
        from += readBytes;
        if (this.#lacksFields) {
          if (!this.#machine.flush(visitor)) return false;
          this.#machine = this.#newMachine();
          this.#machine.begin(visitor.most());
        } else if (readBytes === 0) {
          const longer = this.source.next(chunk, from);
          if (!this.#hand(visitor, this.source.parse(longer.record))) return false;
          from = longer.end;
        }
      }
    }
    return this.#machine.flush(visitor);
  }

  /** Filters asked for fields that are not kept. */
  get #lacksFields(): boolean {
    return this.#asked.size > this.#judged.size;
  }

  /** Reads what was loaded, and does what scan.c leaves to its caller. */
  #run(visitor: RecordVisitor): boolean {
    const { reader } = this.source;
    this.#machine.at.lineCount = reader.number;
    for (;;) {
      const call = this.#machine.run(reader.ignoresUnknown);
      reader.number = this.#machine.at.lineCount;
      if (call === 'done') return true;
      if (!this.#answer(call, visitor)) return false;
      if (this.#lacksFields) {
        // The record is read again by a machine that keeps them.
        this.#machine.goBack();
        reader.number--;
        return true;
      }
    }
  }

  #answer(call: Exclude<Call, 'done'>, visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    switch (call) {
      case 'full':
        return machine.flush(visitor, true);
      case 'parse':
        return this.#hand(visitor, this.source.parse(machine.record()));
      case 'record':
        return this.#hand(visitor, this.#message());
      case 'decide':
        machine.at.wanted = Number(this.#isWanted());
        return true;
      case 'second': {
        const second = machine.text(machine.slotOf('time')).slice(0, 19);
        const [before, behind] = this.#lines?.time.second(second) ?? ['', ''];
        return machine.answer(
          Buffer.from(`${String.fromCharCode(before.length, behind.length)}${before}${behind}`),
        );
      }
      case 'line':
        return this.#line(visitor);
    }
  }

  /** Hands on a message behind what was put out before. */
  #hand(visitor: RecordVisitor, message: GetFlowsResponse | undefined): boolean {
    return this.#machine.flush(visitor) && (message === undefined || visitor.message(message));
  }

  /** The message of a record that was taken and is wanted. */
  #message(): GetFlowsResponse | undefined {
    const machine = this.#machine;
    if (!machine.isCanonical) return this.source.parse(machine.record());
    if (this.#fields) return { flow: this.#flow(this.#fields) };
    return JSON.parse(machine.record().toString()) as GetFlowsResponse;
  }

  /** Whether filters and times let the record through, which is certain where no field is lacking. */
  #isWanted(): boolean {
    const { time } = this.#machine;
    return this.source.reader.isWanted({ flow: this.#judgedFlow, ...(time !== undefined && { time }) });
  }

  /** Of the flow what some fields hold. */
  #flow(fields: readonly Kept[]): Flow {
    const message: Record<string, unknown> = {};
    for (const kept of fields)
      if (this.#machine.isSet(kept.slot)) message[kept.field.name] = this.#value(kept);
    return message;
  }

  #value(kept: Kept): unknown {
    const { field, slot, children } = kept;
    if (children.length > 0) return this.#flow(children);
    const text = this.#machine.text(slot);
    if (field.repeated || field.kind === 'message') return parseShared(kept, text);
    switch (field.kind) {
      case 'bool':
      case 'boolValue':
        return text === 'true';
      case 'int32':
      case 'uint32':
        return Number(text);
      default:
        return text;
    }
  }

  /** Makes a line that serves for all that differ in what fills its holes. */
  #line(visitor: RecordVisitor): boolean {
    const machine = this.#machine;
    const message = this.#message();
    const isPlain = (field: string) => machine.isPlain(machine.slotOf(field));
    const made = this.#lines?.pieces(message?.flow ?? {}, isPlain) ?? [];
    const pieces = made.flatMap(({ hole, text }) => {
      const bytes = Buffer.from(text);
      return [Buffer.from([hole, bytes.length & 0xff, bytes.length >> 8]), bytes];
    });
    const isShort = pieces.every(({ length }) => length <= MOST_PIECE_BYTES);
    if (isShort && machine.answer(Buffer.concat([...pieces, Buffer.from([END_OF_PIECES])]))) return true;
    // There is no room for it: it is printed by itself.
    machine.skip();
    return this.#hand(visitor, message);
  }
}

/** The same text gives the same value, which is shared: ends and services repeat. */
function parseShared(kept: Kept, text: string): unknown {
  const value = kept.known?.get(text) ?? (JSON.parse(text) as unknown);
  // What is another one each time, such as ports, is not worth looking up.
  if (kept.known && kept.known.set(text, value).size > MOST_SHARED) kept.known = undefined;
  return value;
}

/** The fields of a flow that paths lead to. */
function keptOf(tree: PathTree, before: string, slotOf: (path: string) => number): Kept[] {
  return [...tree].map(([name, { children }]) => {
    const path = before + name;
    return keptAt(path, slotOf(path), keptOf(children, `${path}.`, slotOf));
  });
}

function keptAt(path: string, slot: number, children: readonly Kept[]): Kept {
  const field = fieldAt('flow.Flow', path);
  if (!field) throw new Error(`a flow has no field ${path}`);
  return { field, slot, children, known: new Map() };
}
