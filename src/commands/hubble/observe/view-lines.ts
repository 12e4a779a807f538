import type { Context } from '../../../context.ts';
import { HUBBLE_TABLE, SEPARATOR, tableLine } from '../../../render/hubble/flow-records.ts';
import type { FlowFormat } from '../../../render/hubble/flow-renderer.ts';
import { AlignedLines } from '../../../render/text/aligned-lines.ts';
import { forTerminal } from '../../../render/text/sanitize.ts';
import type { RecordText, Span } from './record-text.ts';

/** Prints records as they come; `takeStatus` gives what goes to stderr beside them. */
export async function viewLines(
  batches: AsyncIterable<readonly RecordText[]>,
  sink: RecordSink,
  takeStatus: () => string,
  ctx: Context,
): Promise<void> {
  try {
    for await (const batch of batches) {
      for (const record of batch) sink.add(record);
      const status = takeStatus();
      if (status !== '') await ctx.err.write(status);
      await sink.flush();
    }
  } finally {
    await sink.end();
  }
}

/** How records of the dict format begin. */
export interface DictStart {
  /** Stands in front of each record; left out in front of the first. */
  separator?: string;
  /** Whether the first record is what the output begins with, asked when it is there. */
  begins?: () => boolean;
}

/** Collects records for stdout: writes them in large pieces, begins dicts right and aligns tables at the end. */
export class RecordSink {
  #text = '';
  #pieces: (string | Span)[] = [];
  #begun = false;
  readonly #table: AlignedLines | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly format: FlowFormat,
    headers: readonly string[],
    private readonly dicts: DictStart = {},
  ) {
    this.#table = format === 'table' ? new AlignedLines(tableLine(headers), HUBBLE_TABLE) : undefined;
  }

  /** Adds a record. The bytes of a span must stay as they are until the next flush. */
  add(record: RecordText): void {
    if (typeof record === 'string') this.#text += record;
    else this.#addSpan(record);
  }

  #addSpan({ chunk, start, end, plain }: Span): void {
    const last = this.#pieces.at(-1);
    // Records that stand one behind the other are written in one piece.
    if (
      this.#text === '' &&
      typeof last === 'object' &&
      last.chunk === chunk &&
      last.end === start &&
      last.plain === plain
    ) {
      last.end = end;
      return;
    }
    if (this.#text !== '') this.#pieces.push(this.#text);
    this.#text = '';
    this.#pieces.push({ chunk, start, end, plain });
  }

  /** Writes what waits. A table waits for its end. */
  async flush(): Promise<void> {
    if (this.#text !== '') this.#pieces.push(this.#text);
    this.#text = '';
    for (const piece of this.#pieces.splice(0)) {
      if (this.#table) {
        this.#table.add(bytesOf(piece));
        continue;
      }
      const cut = this.format === 'dict' && !this.#begun ? this.#cut : 0;
      this.#begun = true;
      if (typeof piece === 'string') await this.ctx.out.write(piece.slice(cut));
      else {
        const bytes = piece.chunk.subarray(piece.start + cut, piece.end);
        await (piece.plain ? this.ctx.out.pass(bytes) : this.ctx.out.write(bytes.toString()));
      }
    }
  }

  /** What the first record loses. */
  get #cut(): number {
    const { separator = `${SEPARATOR}\n`, begins } = this.dicts;
    return begins?.() === false ? 0 : separator.length;
  }

  /** Writes the rest, and a table as a whole. */
  async end(): Promise<void> {
    await this.flush();
    for (const bytes of this.#table?.take() ?? []) await this.ctx.out.pass(bytes);
  }
}

/** Records as they go to the terminal, in memory of their own. */
function bytesOf(piece: string | Span): Buffer {
  if (typeof piece === 'string') return Buffer.from(forTerminal(piece));
  const bytes = piece.chunk.subarray(piece.start, piece.end);
  return Buffer.from(piece.plain ? bytes : forTerminal(bytes.toString()));
}
