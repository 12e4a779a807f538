import type { Flow } from '../../model/hubble.gen.ts';
import { fieldAt } from '../protobuf/schema.ts';
import { SCAN_MODULE } from './module.gen.ts';
import { layTables, slotsOf } from './tables.ts';

/** What scan.c wants of its caller, by the number that `run` gives back. */
const CALLS = ['done', 'parse', 'decide', 'line', 'second', 'record', 'full'] as const;
export type Call = (typeof CALLS)[number];

/** What is put out: lines of JSON, lines of text, or nothing. */
const MODES = ['json', 'text', 'records'] as const;

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

/** A part of a line of text: what fills a hole, and the text behind it. The hole 0 is none, 1 the first. */
export interface Piece {
  hole: number;
  text: string;
}

/** How lines are made of flows. Those that differ in what fills their holes alone are made once. */
export interface LineMaker {
  /** The fields of a flow that lines depend on. */
  fields: readonly string[];
  /** The fields that fill each hole, of which a flow has one. The first is for the time. */
  holes: readonly (readonly string[])[];
  /** How a time is printed. */
  time: {
    /** What stands before and behind the fraction of a second, given as `2006-01-02T15:04:05`. */
    second(second: string): readonly [string, string];
    /** Digits of the fraction; trimmed, it has no zeros at its end, and a dot in front when it has digits. */
    digits: number;
    trimmed: boolean;
  };
  /** The line of a flow; `isPlain` says of a field that its text is ASCII without escapes. */
  pieces(flow: Flow, isPlain: (field: string) => boolean): readonly Piece[];
}

export interface MachineOptions {
  /** Fields of a flow that are kept beside those that the others need. */
  fields: readonly string[];
  mode: (typeof MODES)[number];
  /** Answers behind their heads are read, not lines. */
  framed: boolean;
  /** Records are judged, by these fields of a flow. */
  judges: boolean;
  judgedBy: readonly string[];
  /** By the time of the record as well: as it differs from record to record, no judgement is kept. */
  isTimed: boolean;
  lines: LineMaker | undefined;
}

interface Exports {
  memory: WebAssembly.Memory;
  /** Where the words are that both sides read and write. */
  at: { value: number };
  run(): number;
  answer(length: number): number;
}

/** Longest stretch of records that is read at a time; one that is longer is for the parser. */
export const INPUT_BYTES = 1024 * 1024;
const MOST_ENDS = 16 * 1024;
const SPAN_WORDS = 3;
/** A flow has fewer fields. */
const SLOTS = 192;

/** What of a field an answer of a memo depends on, as memo.h has it; from `hole` on it fills one. */
const USES = { presence: 1, bytes: 2, hole: 3 } as const;

/** The words of `at` of scan.c, in their order. */
const WORDS = [
  ...['cursor', 'limit', 'out', 'turn', 'endCount', 'mostEnds', 'lineCount', 'line', 'lineEnd', 'step'],
  ...['wanted', 'steers', 'mode', 'framed', 'judges', 'digits', 'trimmed', 'root', 'form'],
  ...['ignoreUnknown', 'slots', 'judgedBy', 'printedBy', 'tables', 'input', 'out0', 'out1', 'ends'],
] as const;

/** How a line differs from its canonical form, as json.h has it. */
const SPACED_OR_OTHERWISE = 3;
const ESCAPED = 1;
const STEP_READ = 0;
const NEWLINE = 0x0a;
const LIST = 0x5b;

let compiled: WebAssembly.Module | undefined;

const inFlow = (path: string) => `flow.${path}`;

/** The WebAssembly of scan.c with its memory: tables, buffers, and what it keeps. */
export class Machine {
  readonly #exports: Exports;
  readonly #slots: ReadonlyMap<string, number>;
  readonly #bytes: Buffer;
  readonly #words: Uint32Array;
  readonly #spans: number;
  /** What scan.c shares with its caller. */
  readonly at: Record<(typeof WORDS)[number], number>;
  #flushed = 0;
  #most = 0;

  constructor({ fields, mode, framed, judges, judgedBy, isTimed, lines }: MachineOptions) {
    compiled ??= new WebAssembly.Module(Buffer.from(SCAN_MODULE, 'base64'));
    // What a module exports is its author's promise.
    this.#exports = new WebAssembly.Instance(compiled).exports as unknown as Exports;
    const { buffer } = this.#exports.memory;
    const words = new Uint32Array(buffer);
    this.#bytes = Buffer.from(buffer);
    this.#words = words;
    const first = this.#exports.at.value / 4;
    this.at = Object.create(
      null,
      Object.fromEntries(
        WORDS.map((name, i) => [
          name,
          {
            get: () => words[first + i],
            set: (value: number) => {
              words[first + i] = value;
            },
          },
        ]),
      ),
    );
    const kept = [...judgedBy, ...fields, ...(lines?.fields ?? [])].map(inFlow);
    this.#slots = slotsOf(['flow', ...kept, ...(isTimed ? ['time'] : [])]);
    if (this.#slots.size > SLOTS) throw new Error(`${this.#slots.size} fields are more than can be kept`);
    const { at } = this;
    this.#spans = at.slots / 4;
    const tables = layTables(at.tables, this.#slots);
    words.set(tables.words, at.tables / 4);
    at.root = tables.root;
    at.mode = MODES.indexOf(mode);
    at.framed = Number(framed);
    at.judges = judges ? (isTimed ? 1 : 2) : 0;
    this.#dependOn(at.judgedBy, judgedBy, []);
    if (!lines) return;
    this.#dependOn(at.printedBy, lines.fields, lines.holes);
    at.digits = lines.time.digits;
    at.trimmed = Number(lines.time.trimmed);
  }

  /** Tells a memo what its answers depend on: the fields, and the presence of the messages that they are in. */
  #dependOn(uses: number, fields: readonly string[], holes: LineMaker['holes']): void {
    for (const path of slotsOf(fields.map(inFlow)).keys()) {
      const field = fieldAt('observer.GetFlowsResponse', path);
      const hole = holes.findIndex((filling) => filling.some((name) => inFlow(name) === path));
      const isMessage = field?.kind === 'message' && !field.repeated;
      this.#bytes[uses + this.#slotAt(path)] =
        hole === -1 ? (isMessage ? USES.presence : USES.bytes) : USES.hole + 1 + hole;
    }
  }

  /** Where a field of a flow is kept. */
  slotOf(field: string): number {
    return this.#slotAt(inFlow(field));
  }

  #slotAt(path: string): number {
    const slot = this.#slots.get(path);
    if (slot === undefined) throw new Error(`the field ${path} is not kept`);
    return slot;
  }

  /** The time of the record, where it is kept and has one. */
  get time(): string | undefined {
    const slot = this.#slots.get('time');
    return slot !== undefined && this.isSet(slot) ? this.text(slot) : undefined;
  }

  /** Begins to put out, so many records at most before `run` says `full`. What was put out the last time but one is overwritten. */
  begin(most: number): void {
    this.at.turn ^= 1;
    this.#most = most;
    this.#openOut();
  }

  #openOut(): void {
    const { at } = this;
    at.out = at.turn ? at.out1 : at.out0;
    this.#flushed = at.out;
    this.#beginEnds();
  }

  #beginEnds(): void {
    this.at.endCount = 0;
    this.at.mostEnds = Math.max(1, Math.min(MOST_ENDS, this.#most));
    this.at.steers = 0;
  }

  /** Takes records, of INPUT_BYTES at most; what is cut at their end is left, but for a line that is the last one. */
  load(bytes: Buffer, isLast: boolean): void {
    const { at } = this;
    this.#bytes.set(bytes, at.input);
    let length = bytes.length;
    if (!at.framed && bytes.at(-1) !== NEWLINE) {
      if (isLast) this.#bytes[at.input + length++] = NEWLINE;
      else length = bytes.lastIndexOf(NEWLINE) + 1;
    }
    at.cursor = at.input;
    at.limit = at.input + length;
    at.step = STEP_READ;
  }

  /** Bytes of those that were loaded that were read. */
  get readBytes(): number {
    return this.at.cursor - this.at.input;
  }

  /** Goes on; `ignoresUnknown` says that names which the schema lacks are passed over. */
  run(ignoresUnknown: boolean): Call {
    this.#words[this.at.ignoreUnknown / 4] = Number(ignoresUnknown);
    return CALLS[this.#exports.run()] ?? 'done';
  }

  /** Hands on what was put out since the last time; `isFull` makes room for more. */
  flush(taker: TextTaker, isFull = false): boolean {
    const { at } = this;
    const { endCount: count, out } = at;
    let more = true;
    if (count > 0) {
      const start = this.#flushed;
      const ends = () =>
        Array.from(this.#words.subarray(at.ends / 4, at.ends / 4 + count), (end) => end - start);
      const bytes = this.#bytes.subarray(start, out);
      // What is handed on stays while the buffer is used again.
      more = taker.texts(isFull ? Buffer.from(bytes) : bytes, ends, at.steers === 0);
      this.#most = taker.most();
      this.#flushed = out;
      this.#beginEnds();
    }
    if (isFull) this.#openOut();
    return more;
  }

  /** The record that `run` stopped at, without its newline or its head. */
  record(): Buffer {
    return this.#bytes.subarray(this.at.line, this.at.lineEnd);
  }

  /** Whether the record is a message as JSON prints it. */
  get isCanonical(): boolean {
    return ((this.#words[this.at.form / 4] ?? 0) & SPACED_OR_OTHERWISE) === 0;
  }

  #span(slot: number, word: number): number {
    return this.#words[this.#spans + slot * SPAN_WORDS + word] ?? 0;
  }

  isSet(slot: number): boolean {
    return this.#span(slot, 0) !== 0;
  }

  /** Whether a value is ASCII without escapes. */
  isPlain(slot: number): boolean {
    return this.isSet(slot) && this.#span(slot, 2) === 0;
  }

  /** The text of a value that is set; of a list or a message, its JSON. */
  text(slot: number): string {
    const [start, end, flags] = [this.#span(slot, 0), this.#span(slot, 1), this.#span(slot, 2)];
    if (flags === 0) return this.#bytes.toString('latin1', start, end);
    if ((flags & ESCAPED) === 0 || this.#bytes[start] === LIST)
      return this.#bytes.toString('utf8', start, end);
    return JSON.parse(this.#bytes.toString('utf8', start - 1, end + 1)) as string;
  }

  /** Answers a `line` or a `second`, which is kept; false when there is no room for it. */
  answer(pieces: Buffer): boolean {
    const at = this.#exports.answer(pieces.length);
    if (at > 0) this.#bytes.set(pieces, at);
    return at > 0;
  }

  /** The record that `run` stopped at counts as not read. */
  goBack(): void {
    this.at.cursor = this.at.line;
  }

  /** Goes on behind the record that `run` stopped at. */
  skip(): void {
    this.at.step = STEP_READ;
  }
}
