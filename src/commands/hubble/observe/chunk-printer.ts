import { type LineProblem, type LineReader, lineReader } from '../../../hubble/captures/flow-lines.ts';
import { type ChunkReader, chunkReader } from '../../../hubble/fast/flow-chunks.ts';
import type { Timestamp } from '../../../lib/timestamp.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-format.ts';
import type { FilterLists } from './filter-builder.ts';

/** What is asked of a file, and how it is printed. */
export interface FileQuery {
  filters: FilterLists;
  since?: Timestamp;
  until?: Timestamp;
  renderer: FlowRenderer;
}

/** Takes the records of a chunk in their order; each says whether more are wanted. */
export interface RecordTaker {
  text(text: string): boolean;
  /** A record that stands in the chunk as it is to be printed. */
  bytes(chunk: Buffer, start: number, end: number): boolean;
}

/** Turns chunks of lines into the text of the records that a query asks for. */
export class ChunkPrinter {
  readonly #problems: LineProblem[] = [];

  private constructor(
    private readonly lines: LineReader,
    private readonly read: ChunkReader,
    private readonly renderer: FlowRenderer,
    problems: LineProblem[],
  ) {
    this.#problems = problems;
  }

  /** Compiles the filters. Throws UserError for one that is none. */
  static async open(query: FileQuery): Promise<ChunkPrinter> {
    const { filters, since, until, renderer } = query;
    const problems: LineProblem[] = [];
    const reader = await lineReader(
      { ...filters, ...(since && { since }), ...(until && { until }) },
      (problem) => problems.push(problem),
    );
    const read = chunkReader(reader, {
      raw: renderer.format === 'json',
      wholeFlows: renderer.format === 'legacy-json' || renderer.style.policyNames,
      filters,
      timed: since !== undefined || until !== undefined,
    });
    return new ChunkPrinter(reader, read, renderer, problems);
  }

  /** Starts to count lines from 1, as for a new file. */
  startFile(): void {
    this.lines.number = 0;
  }

  /** Prints the records of a chunk of whole lines; false when no more are wanted. */
  print(chunk: Buffer, take: RecordTaker): boolean {
    return this.read(chunk, {
      raw: (start, end) => take.bytes(chunk, start, end),
      message: (message) => take.text(this.renderer.response(message)),
      row: (row) => take.text(this.renderer.row(row)),
    });
  }

  /** News of nodes since the last call, for stderr. */
  takeStatus(): string {
    return this.renderer.takeStatus();
  }

  /** What was wrong with lines since the last call. */
  takeProblems(): LineProblem[] {
    return this.#problems.splice(0);
  }
}
