import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import type { LineProblem } from '../../../hubble/captures/flow-lines.ts';
import { expandInputs, readCapture } from '../../../hubble/captures/inputs.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-format.ts';
import { ChunkPrinter, type RecordTaker } from './chunk-printer.ts';
import type { FilterLists } from './filter-builder.ts';
import type { RecordSink } from './output.ts';
import { logProblems } from './problems.ts';
import type { Selection } from './selectors.ts';

/** Most records that `--last` keeps while it reads a file. */
const MAX_LAST = 1_000_000n;
/** What --all stands for. */
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

/** What to read, what to keep of it and where it goes. */
export interface FileJob {
  /** Files, folders, globs; `-` is stdin. */
  inputs: readonly string[];
  filters: FilterLists;
  selection: Selection;
  renderer: FlowRenderer;
  sink: RecordSink;
  silent: boolean;
}

/** Prints the flows of files or of stdin. */
export async function observeFile(job: FileJob, ctx: Context): Promise<void> {
  const { first, number, since, until } = job.selection;
  if (!first && number > MAX_LAST && number < MAX_UINT64)
    throw new UserError(`--last must be <= 1_000_000, got ${number}`);
  const printer = await ChunkPrinter.open({
    filters: job.filters,
    renderer: job.renderer,
    ...(since && { since }),
    ...(until && { until }),
  });
  const keep = keeper(job.selection, job.sink);
  try {
    for (const path of await expandInputs(job.inputs, ctx.cwd)) {
      if (!(await printCapture(printer, keep, path, job, ctx))) break;
    }
  } catch (error) {
    if (!ctx.signal.aborted) throw error;
  }
  keep.end();
  await job.sink.end();
}

/** False when no more records are wanted. */
async function printCapture(
  printer: ChunkPrinter,
  keep: Keeper,
  path: string,
  { sink, silent }: FileJob,
  ctx: Context,
): Promise<boolean> {
  printer.startFile();
  for await (const chunk of readCapture(path, ctx.in, ctx.signal)) {
    const more = printer.print(chunk, keep);
    keep.endChunk(chunk);
    await sink.flush();
    await tell(printer.takeStatus(), printer.takeProblems(), path, silent, ctx);
    if (!more) return false;
  }
  return true;
}

/** Passes records on to the sink: all of them, the first or the last ones. */
interface Keeper extends RecordTaker {
  /** The bytes of the chunk are about to be overwritten. */
  endChunk(chunk: Buffer): void;
  end(): void;
}

function keeper({ first, number }: Selection, sink: RecordSink): Keeper {
  if (first) return keepFirst(Number(number), sink);
  return number === 0n || number > MAX_LAST
    ? keepFirst(Number.POSITIVE_INFINITY, sink)
    : keepLast(Number(number), sink);
}

function keepFirst(limit: number, sink: RecordSink): Keeper {
  let count = 0;
  // Records that stand one behind the other are passed on in one piece.
  let [from, to] = [0, 0];
  const pass = (chunk: Buffer) => {
    if (to > from) sink.addBytes(chunk.subarray(from, to));
    from = to;
  };
  let current: Buffer | undefined;
  return {
    text: (text) => {
      if (text === '') return true;
      if (current) pass(current);
      sink.add(text);
      return ++count < limit;
    },
    bytes: (chunk, start, end) => {
      if (start !== to) {
        pass(chunk);
        from = start;
      }
      to = end;
      current = chunk;
      return ++count < limit;
    },
    endChunk: (chunk) => {
      pass(chunk);
      [from, to] = [0, 0];
      current = undefined;
    },
    end: () => {},
  };
}

function keepLast(limit: number, sink: RecordSink): Keeper {
  const ring: Buffer[] = [];
  let count = 0;
  const keep = (record: Buffer) => {
    ring[count++ % limit] = record;
    return true;
  };
  return {
    // Bytes rather than text, which would keep the whole chunk alive that it was cut from.
    text: (text) => text === '' || keep(Buffer.from(text)),
    bytes: (chunk, start, end) => keep(Buffer.from(chunk.subarray(start, end))),
    endChunk: () => {},
    end: () => {
      const from = count > limit ? count % limit : 0;
      for (let i = 0; i < ring.length; i++) {
        const record = ring[(from + i) % ring.length];
        if (record) sink.addBytes(record);
      }
    },
  };
}

/** Logs what was wrong with lines, and prints what nodes reported. */
async function tell(
  status: string,
  problems: LineProblem[],
  path: string,
  silent: boolean,
  ctx: Context,
): Promise<void> {
  if (status !== '' && !silent) await ctx.err.write(status);
  await logProblems(problems, path, ctx);
}
