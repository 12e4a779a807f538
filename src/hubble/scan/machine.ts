import { fieldAt } from '../protobuf/schema.ts';
import { SCAN_MODULE } from './module.gen.ts';
import { layTables, slotsOf } from './tables.ts';

/** What scan.c wants of its caller, by the number that `run` gives back. */
const CALLS = ['done', 'parse', 'decide', 'line', 'row', 'second', 'message', 'full'] as const;
export type Call = (typeof CALLS)[number];

const MODES = { json: 0, rows: 1, messages: 2 } as const;

/** Takes what was put out. */
export interface TextTaker {
  /**
   * Records as they are to be printed, in `bytes`, each up to one of `ends`, which are told while they are taken. They are
   * overwritten by the next chunk but one. `plain` says that nothing in them steers a terminal. Says whether more are wanted.
   */
  texts(bytes: Buffer, ends: () => readonly number[], plain: boolean): boolean;
  /** How many more records are wanted. */
  most(): number;
}

export interface MachineOptions {
  /** Fields of an answer that are kept. */
  paths: readonly string[];
  mode: keyof typeof MODES;
  /** Records are judged. */
  judges: boolean;
  /** The fields that judgements depend on, where these are few; otherwise each record is judged anew. */
  judgedBy: readonly string[] | undefined;
  /** The fields that lines of text depend on; absent where each line is made anew. */
  printed: readonly string[] | undefined;
  /** Fields that fill the holes of lines, as in holes.ts: lines that differ in them alone are made once. The first is for times. */
  holes: readonly (readonly string[])[];
  digits: number;
  trimmed: boolean;
}

interface Exports {
  memory: WebAssembly.Memory;
  run(): number;
  run_answers(): number;
  configure_answers(scratch: number, size: number): void;
  heap(): number;
  address(what: number): number;
  pieces(length: number): number;
  value_of(slot: number): number;
  keep_value(number: number): void;
  forget_values(): void;
  take_unknown(taken: number): void;
  configure(root: number, flow: number, digits: number, trimmed: number, arena: number, size: number): void;
}

const PAGE = 64 * 1024;
/** scan.c reads and writes in steps, a little beyond the end of what is there. */
const SLACK = 128;
const ARENA_BYTES = 1024 * 1024;
/** Longest stretch of lines that is read at a time; a line that is longer is for the parser. */
export const INPUT_BYTES = 1024 * 1024;
/** Room for a line of JSON that only leads to text. */
const SCRATCH_BYTES = 256 * 1024;
/** While the text of one chunk is on its way out, that of the next is made. */
const OUTS = 2;
const OUT_BYTES = 2 * INPUT_BYTES;
const MOST_ENDS = 16 * 1024;
const SPAN_WORDS = 3;
const SLOTS = 160;
const HOLE_SLOTS = 4;

/** What of a field an answer of a memo depends on, as memo.h has it. */
const USES = { presence: 1, hole: 2, bytes: 3 } as const;

/** Words of the record `at` of scan.c. */
const AT = {
  cursor: 0,
  limit: 1,
  out: 2,
  outEnd: 3,
  ends: 4,
  endCount: 5,
  mostEnds: 6,
  lineCount: 7,
  line: 8,
  lineEnd: 9,
  step: 10,
  mode: 11,
  judges: 12,
  wanted: 13,
  memoize: 14,
  steers: 15,
} as const;

/** How a line differs from its canonical form, as scan.c has it. */
const SPACED = 1;
const OTHERWISE = 2;
const STEERS = 4;
const ESCAPED = 1;
const STEP_READ = 0;
const NEWLINE = 0x0a;
const LIST = 0x5b;

let compiled: WebAssembly.Module | undefined;

/** The WebAssembly of scan.c with its memory: tables, buffers, and what it keeps. */
export class Machine {
  readonly #exports: Exports;
  readonly #slots: ReadonlyMap<string, number>;
  readonly #input: number;
  readonly #outs: readonly number[];
  readonly #ends: number;
  readonly #at: number;
  readonly #spans: number;
  readonly #form: number;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  #turn = 0;
  #flushed = 0;
  #most = 0;

  constructor({ paths, mode, judges, judgedBy, printed, holes, digits, trimmed }: MachineOptions) {
    compiled ??= new WebAssembly.Module(Buffer.from(SCAN_MODULE, 'base64'));
    // What a module exports is its author's promise.
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as Exports;
    const { heap, address, configure, configure_answers } = this.#exports;
    this.#slots = slotsOf(paths);
    if (this.#slots.size > SLOTS) throw new Error(`${this.#slots.size} fields are more than can be kept`);
    const base = heap();
    const tables = layTables(base, this.#slots);
    const arena = roundUp(base + tables.bytes.length);
    const out = arena + 3 * ARENA_BYTES + SLACK;
    this.#outs = Array.from({ length: OUTS }, (_, i) => out + i * (OUT_BYTES + SLACK));
    this.#ends = out + OUTS * (OUT_BYTES + SLACK);
    this.#input = this.#ends + 4 * MOST_ENDS;
    const scratch = this.#input + INPUT_BYTES + SLACK;
    this.#at = address(1) / 4;
    this.#spans = address(0) / 4;
    this.#form = address(6) / 4;
    const { memory } = this.#exports;
    memory.grow(Math.ceil((scratch + SCRATCH_BYTES + SLACK - memory.buffer.byteLength) / PAGE));
    this.#bytes = Buffer.from(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#bytes.set(tables.bytes, base);
    configure(tables.root, this.slotOf('flow'), digits, trimmed ? 1 : 0, arena, ARENA_BYTES);
    configure_answers(scratch, SCRATCH_BYTES);
    this.#set('mode', MODES[mode]);
    this.#set('judges', judges ? 1 : 0);
    this.#set('memoize', (judges && judgedBy ? 1 : 0) | (printed ? 2 : 0));
    this.#keyOf(address(2), judgedBy ?? [], []);
    this.#keyOf(
      address(3),
      printed ?? [],
      holes.flat().map((field) => `flow.${field}`),
    );
    for (const [at, fields] of holes.entries()) {
      for (let i = 0; i < HOLE_SLOTS; i++)
        this.#bytes.writeUInt16LE(
          this.#slots.get(`flow.${fields[i]}`) ?? 0xffff,
          address(4) + 2 * ((at + 1) * HOLE_SLOTS + i),
        );
    }
  }

  /** Tells a memo what its answers depend on: the fields, and the presence of the messages that they are in. */
  #keyOf(address: number, paths: readonly string[], holes: readonly string[]): void {
    for (const path of slotsOf(paths).keys()) {
      const isMessage = !isValue(path);
      const use = isMessage ? USES.presence : holes.includes(path) ? USES.hole : USES.bytes;
      this.#bytes[address + this.slotOf(path)] = use;
    }
  }

  slotOf(path: string): number {
    const slot = this.#slots.get(path);
    if (slot === undefined) throw new Error(`the field ${path} is not kept`);
    return slot;
  }

  /** Takes whole lines, of INPUT_BYTES at most; so many records are put out at most before `run` says `full`. */
  load(lines: Buffer, most: number): void {
    this.#bytes.set(lines, this.#input);
    let end = this.#input + lines.length;
    if (lines.at(-1) !== NEWLINE) this.#bytes[end++] = NEWLINE;
    this.#set('limit', end);
    this.#set('lineCount', 0);
    this.#most = most;
    this.#start();
    this.#turn = (this.#turn + 1) % OUTS;
    this.#openOut();
  }

  /** Begins the answers that one read brought: what was put out of the last ones is overwritten. */
  beginAnswers(): void {
    this.#most = Number.POSITIVE_INFINITY;
    this.#openOut();
  }

  /** Takes answers behind their heads, of INPUT_BYTES at most; the last one may be cut. */
  loadAnswers(bytes: Buffer): void {
    this.#bytes.set(bytes, this.#input);
    this.#set('limit', this.#input + bytes.length);
    this.#start();
  }

  /** As `run`, for answers. */
  runAnswers(): Call {
    return CALLS[this.#exports.run_answers()] ?? 'done';
  }

  /** Bytes of those that were loaded that were read. */
  get readBytes(): number {
    return this.#get('cursor') - this.#input;
  }

  #start(): void {
    this.#set('cursor', this.#input);
    this.#set('step', STEP_READ);
  }

  #openOut(): void {
    const start = this.#outs[this.#turn] ?? 0;
    this.#flushed = start;
    this.#set('out', start);
    this.#set('outEnd', start + OUT_BYTES);
    this.#set('ends', this.#ends);
    this.#begin();
  }

  #begin(): void {
    this.#set('endCount', 0);
    this.#set('mostEnds', Math.max(1, Math.min(MOST_ENDS, this.#most)));
    this.#set('steers', 0);
  }

  run(): Call {
    return CALLS[this.#exports.run()] ?? 'done';
  }

  /** Hands on what was put out since the last time; `isFull` makes room for more. */
  flush(visitor: TextTaker, isFull = false): boolean {
    const count = this.#get('endCount');
    let more = true;
    if (count > 0) {
      const start = this.#flushed;
      const out = this.#get('out');
      const ends = () => Array.from({ length: count }, (_, i) => this.#word(this.#ends / 4 + i) - start);
      const bytes = this.#bytes.subarray(start, out);
      // What is handed on stays while the buffer is used again.
      more = visitor.texts(isFull ? Buffer.from(bytes) : bytes, ends, this.#get('steers') === 0);
      this.#most = visitor.most();
      this.#flushed = out;
      this.#begin();
    }
    if (isFull) this.#openOut();
    return more;
  }

  /** Number of lines that were begun. */
  get lineCount(): number {
    return this.#get('lineCount');
  }

  /** The line that `run` stopped at, without its newline. */
  line(): Buffer {
    return this.#bytes.subarray(this.#get('line'), this.#get('lineEnd'));
  }

  /** Whether the line is JSON as a message is printed. */
  get isCanonical(): boolean {
    return ((this.#words[this.#form] ?? 0) & (SPACED | OTHERWISE)) === 0;
  }

  /** Whether the line has ASCII alone. */
  get isAscii(): boolean {
    return ((this.#words[this.#form] ?? 0) & STEERS) === 0;
  }

  isSet(slot: number): boolean {
    return this.#words[this.#spans + slot * SPAN_WORDS] !== 0;
  }

  /** Whether a value is ASCII without escapes. */
  isPlain(slot: number): boolean {
    return this.isSet(slot) && this.#words[this.#spans + slot * SPAN_WORDS + 2] === 0;
  }

  /** The text of a value that is set; of a list, its JSON. */
  text(slot: number): string {
    const at = this.#spans + slot * SPAN_WORDS;
    const start = this.#words[at] ?? 0;
    const end = this.#words[at + 1] ?? 0;
    const flags = this.#words[at + 2] ?? 0;
    if (flags === 0) return this.#bytes.toString('latin1', start, end);
    if ((flags & ESCAPED) === 0 || this.#bytes[start] === LIST)
      return this.#bytes.toString('utf8', start, end);
    return JSON.parse(this.#bytes.toString('utf8', start - 1, end + 1)) as string;
  }

  /** The number that the text of a slot was given; 0 where it has none yet. */
  numberOf(slot: number): number {
    return this.#exports.value_of(slot);
  }

  /** Gives a number to the text that was asked for last. It may be forgotten, but no other text gets it. */
  keepNumber(number: number): void {
    this.#exports.keep_value(number);
  }

  /** Numbers may be given anew. */
  forgetNumbers(): void {
    this.#exports.forget_values();
  }

  /** Says whether the record is wanted that `run` asked about. */
  decide(isWanted: boolean): void {
    this.#set('wanted', isWanted ? 1 : 0);
  }

  /** Says whether names that the schema lacks are passed over. */
  ignoreUnknown(ignored: boolean): void {
    this.#exports.take_unknown(ignored ? 1 : 0);
  }

  /** Keeps the pieces of a line that `run` asked for; false when there is no room for them. */
  keepLine(pieces: Buffer): boolean {
    const at = this.#exports.pieces(pieces.length);
    if (at === 0) return false;
    this.#bytes.set(pieces, at);
    return true;
  }

  /** Goes on behind the line that `run` stopped at. */
  skipLine(): void {
    this.#set('step', STEP_READ);
  }

  /** Says what stands around the fraction of the second that `run` asked about. */
  setSecond(second: string, before: string, after: string): void {
    const at = this.#exports.address(5);
    this.#bytes.write(second, at, 19, 'latin1');
    this.#bytes.write(before, at + 24, 40, 'latin1');
    this.#bytes.write(after, at + 64, 8, 'latin1');
    this.#bytes.writeUInt32LE(before.length, at + 72);
    this.#bytes.writeUInt32LE(after.length, at + 76);
  }

  #get(name: keyof typeof AT): number {
    return this.#word(this.#at + AT[name]);
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }

  #set(name: keyof typeof AT, value: number): void {
    this.#words[this.#at + AT[name]] = value;
  }
}

/** Whether a field has a value of its own, and is no message that holds others. */
function isValue(path: string): boolean {
  const field = fieldAt('observer.GetFlowsResponse', path);
  return field !== undefined && (field.repeated || field.kind !== 'message');
}

function roundUp(address: number): number {
  return (address + 63) & -64;
}
