import type { Flow } from '../../model/hubble.gen.ts';
import type { LineReader } from '../captures/line-reader.ts';
import { INPUT_BYTES, Machine } from '../scan/machine.ts';

/** Takes flows one by one, or as members of a group: flows that are alike in all that their taker reads. */
export interface GroupVisitor<G> {
  /** A flow that stands for itself. */
  flow(flow: Flow): void;
  /** A group that is new; its first flow follows as a member. */
  group(first: Flow): G;
  /** The next flow of a group, with its ports of TCP, UDP or SCTP. `uuid` looks into its line. */
  member(
    group: G,
    source: number | undefined,
    destination: number | undefined,
    uuid: () => string | undefined,
  ): void;
}

/** Lines that the parser reads first: to make the scanner ready takes as long as fifty of them. */
const PARSED_FIRST = 50;
/** Groups that are remembered at least. scan.c knows no more of the last ones than the 3,072 places that it has for lines. */
const KEPT = 8192;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
/** The ports of a flow are the holes 2 and 3 of what is put out of it; no time is. */
const PORTS = ['source', 'destination'].map((side) =>
  ['TCP', 'UDP', 'SCTP'].map((name) => `l4.${name}.${side}_port`),
);
const SOURCE_PORT = 2;
const DESTINATION_PORT = 3;
const END_OF_PIECES = 255;

/**
 * Reads lines of flows and says which are alike in the fields of a flow that `fields` names, and differ in their ports at
 * most. What scan.c prints of a line is here the number of its group and the ports.
 */
export class GroupReader<G> {
  #parsed = PARSED_FIRST;
  #machine: Machine | undefined;
  /** The groups from number `#first` on. */
  #groups: G[] = [];
  #first = 0;
  /** Lines of the chunk that is being read, and the place of one of them. */
  #chunk: Buffer = Buffer.alloc(0);
  #line = 0;
  #found = { line: 0, at: 0 };

  constructor(
    private readonly reader: LineReader,
    private readonly fields: readonly string[],
    private readonly visitor: GroupVisitor<G>,
  ) {}

  /** Reads a chunk of whole lines. */
  read(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; ) {
      let end = Math.min(chunk.length, start + INPUT_BYTES);
      if (end < chunk.length) end = chunk.lastIndexOf(NEWLINE, end - 1) + 1;
      if (this.#parsed > 0 || end <= start) {
        this.#parsed--;
        end = endOfLine(chunk, start);
        this.reader.number++;
        this.#parse(chunk.subarray(start, end));
        start = end + 1;
        continue;
      }
      this.#scan(chunk.subarray(start, end));
      start = end;
    }
  }

  #parse(line: Buffer): void {
    const flow = this.reader.read(line.at(-1) === RETURN ? line.subarray(0, -1) : line)?.flow;
    if (flow) this.visitor.flow(flow);
  }

  #scan(lines: Buffer): void {
    this.#machine ??= machineFor(this.fields);
    const machine = this.#machine;
    const before = this.reader.number;
    this.#chunk = lines;
    this.#line = 0;
    this.#found = { line: 0, at: 0 };
    machine.load(lines, Number.POSITIVE_INFINITY);
    machine.ignoreUnknown(this.reader.ignoresUnknown);
    for (;;) {
      const call = machine.run();
      this.reader.number = before + machine.lineCount;
      if (call === 'line') {
        this.#begin(machine);
        continue;
      }
      machine.flush(this.#taker, call === 'full');
      if (call === 'done') return;
      if (call === 'full') continue;
      // The parser reads what the scanner does not take, and what is too long to be kept.
      this.#line++;
      this.#parse(machine.line());
      machine.ignoreUnknown(this.reader.ignoresUnknown);
    }
  }

  /** The line that the machine stopped at begins a group. */
  #begin(machine: Machine): void {
    machine.flush(this.#taker);
    const flow = machine.isCanonical
      ? (JSON.parse(machine.line().toString()) as { flow: Flow }).flow
      : this.reader.read(machine.line())?.flow;
    if (!flow) throw new Error('the scanner took a line for a flow that is none');
    const number = this.#first + this.#groups.length;
    const isPlain = PORTS.flat()
      .map((field) => machine.slotOf(`flow.${field}`))
      .every((slot) => !machine.isSet(slot) || machine.isPlain(slot));
    if (!isPlain || !machine.keepLine(piecesOf(number))) {
      machine.skipLine();
      this.#line++;
      this.visitor.flow(flow);
      return;
    }
    this.#groups.push(this.visitor.group(flow));
    if (this.#groups.length < 2 * KEPT) return;
    this.#groups = this.#groups.slice(KEPT);
    this.#first += KEPT;
  }

  readonly #taker = {
    most: () => Number.POSITIVE_INFINITY,
    texts: (bytes: Buffer, ends: () => readonly number[]) => {
      let at = 0;
      const number = (end: number): number | undefined => {
        if (bytes[at] === end) {
          at++;
          return undefined;
        }
        let value = 0;
        for (let digit = bytes[at++] ?? end; digit !== end; digit = bytes[at++] ?? end)
          value = 10 * value + digit - ZERO;
        return value;
      };
      for (let i = ends().length; i > 0; i--) {
        const group = this.#groups[(number(SPACE) ?? -1) - this.#first];
        if (group === undefined) throw new Error('the scanner named a group that is not known');
        const line = this.#line++;
        this.visitor.member(group, number(SPACE), number(NEWLINE), () => this.#uuidAt(line));
      }
      return true;
    },
  };

  /** The uuid in a line of the chunk, by its number among those that are not empty. Lines are asked for in their order. */
  #uuidAt(line: number): string | undefined {
    const found = this.#found;
    for (; found.line < line || this.#chunk[found.at] === NEWLINE; found.at++) {
      if (this.#chunk[found.at] === NEWLINE) continue;
      found.at = endOfLine(this.#chunk, found.at);
      found.line++;
    }
    const front = UUID.exec(this.#chunk.toString('latin1', found.at, found.at + FRONT_BYTES));
    if (front) return front[1];
    return this.reader.read(this.#chunk.subarray(found.at, endOfLine(this.#chunk, found.at)))?.flow?.uuid;
  }
}

/** How a line begins as Hubble writes it. */
const UUID = /^\{"flow":\{"time":"[0-9T:.Z-]*","uuid":"([0-9a-f-]+)"/;
const FRONT_BYTES = 128;

function endOfLine(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(NEWLINE, from);
  return found === -1 ? chunk.length : found;
}

function machineFor(fields: readonly string[]): Machine {
  const printed = fields.map((path) => `flow.${path}`);
  return new Machine({
    paths: ['flow', ...printed],
    mode: 'rows',
    judges: false,
    judgedBy: undefined,
    printed,
    holes: [[], ...PORTS],
    digits: 0,
    trimmed: false,
  });
}

/** What is put out of each flow of a group: its number and the ports. */
function piecesOf(group: number): Buffer {
  const front = Buffer.from(`${group} `);
  return Buffer.concat([
    Buffer.from([0, front.length, 0]),
    front,
    Buffer.from([SOURCE_PORT, 1, 0, SPACE]),
    Buffer.from([DESTINATION_PORT, 1, 0, NEWLINE]),
    Buffer.from([END_OF_PIECES]),
  ]);
}
