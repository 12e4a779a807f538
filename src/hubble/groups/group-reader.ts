import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import type { LineReader } from '../captures/line-reader.ts';
import type { LineMaker } from '../scan/machine.ts';
import { type ChunkReader, chunkReader, type RecordVisitor } from '../scan/scanner.ts';

/** Takes flows one by one, or as members of a group: flows that are alike in all that their taker reads. */
export interface GroupVisitor<G> {
  /** A flow that stands for itself. */
  flow(flow: Flow): void;
  /** What is no flow: news of lost events and of nodes. */
  other?(message: GetFlowsResponse): void;
  /** A group that is new; its first flow follows as a member. */
  group(first: Flow): G;
  /**
   * The next flow of a group, with its ports of TCP, UDP or SCTP, and its time in milliseconds since the epoch where times
   * are wanted. `uuid` is asked for at once if at all.
   */
  member(
    group: G,
    source: number | undefined,
    destination: number | undefined,
    uuid: () => string | undefined,
    timeMs: number | undefined,
  ): void;
}

/** Seconds since the epoch, in front of the fraction; nothing where the text is no time. */
function epochOf(second: string): readonly [string, string] {
  const ms = Date.parse(`${second}Z`);
  return [Number.isNaN(ms) ? '' : String(ms / 1000), ''];
}

/** Groups that are remembered at least. scan.c knows no more of the last ones than the 3,072 places that it has for lines. */
const KEPT = 4096;
const SPACE = 0x20;
const ZERO = 0x30;
const PORTS = ['source', 'destination'].map((side) =>
  ['TCP', 'UDP', 'SCTP'].map((name) => `l4.${name}.${side}_port`),
);

/**
 * Reads lines of flows and says which are alike in the fields of a flow that `fields` names, and differ in their ports at
 * most. What scan.c prints of a line is here the number of its group, the ports and the uuid; `isTimed` says whether times are told.
 */
export class GroupReader<G> {
  readonly #read: ChunkReader;
  /** The groups from number `#first` on. */
  #groups: G[] = [];
  #first = 0;

  constructor(
    reader: LineReader,
    fields: readonly string[],
    private readonly visitor: GroupVisitor<G>,
    { isTimed = false }: { isTimed?: boolean } = {},
  ) {
    const want: LineMaker = {
      fields: [...fields, 'uuid', ...(isTimed ? ['time'] : [])],
      // Without times none is put out.
      holes: [isTimed ? ['time'] : [], ...PORTS, ['uuid']],
      time: { second: epochOf, digits: isTimed ? 3 : 0, trimmed: false },
      pieces: (flow, isPlain) => {
        const isHole = isPlain('uuid');
        return [
          { hole: 0, text: `${this.#begin(flow)} ` },
          { hole: isTimed ? 1 : 0, text: ' ' },
          { hole: 2, text: ' ' },
          { hole: 3, text: isHole ? ' ' : ` ${flow.uuid ?? ''}` },
          { hole: isHole ? 4 : 0, text: '\n' },
        ];
      },
    };
    this.#read = chunkReader(reader, { want });
  }

  /** Reads a chunk of whole lines. */
  read(chunk: Buffer): void {
    // Not before the chunk has ended: what it says of its groups comes after all of them have begun.
    if (this.#groups.length > KEPT) {
      this.#first += this.#groups.length - KEPT;
      this.#groups = this.#groups.slice(-KEPT);
    }
    this.#read(chunk, this.#taker);
  }

  /** Begins a group; gives its number. */
  #begin(first: Flow): number {
    return this.#first + this.#groups.push(this.visitor.group(first)) - 1;
  }

  readonly #taker: RecordVisitor = {
    most: () => Number.POSITIVE_INFINITY,
    message: (message) => {
      if (message.flow) this.visitor.flow(message.flow);
      else this.visitor.other?.(message);
      return true;
    },
    texts: (bytes, ends) => {
      let at = 0;
      const number = (): number | undefined => {
        if (bytes[at] === SPACE) {
          at++;
          return undefined;
        }
        let value = 0;
        for (let digit = bytes[at++] ?? SPACE; digit !== SPACE; digit = bytes[at++] ?? SPACE)
          value = 10 * value + digit - ZERO;
        return value;
      };
      for (const end of ends()) {
        const group = this.#groups[(number() ?? -1) - this.#first];
        if (group === undefined) throw new Error('the scanner named a group that is not known');
        const timeMs = number();
        const source = number();
        const destination = number();
        const uuidAt = at;
        this.visitor.member(
          group,
          source,
          destination,
          () => bytes.toString('utf8', uuidAt, end - 1) || undefined,
          timeMs,
        );
        at = end;
      }
      return true;
    },
  };
}
