import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { readLines, wholeLines } from '../../../hubble/flow-file.ts';
import { eachLine, type LineProblem, lineReader } from '../../../hubble/flow-lines.ts';
import type { FlowRenderer } from '../../../render/flow-format.ts';
import { logLine } from '../log.ts';
import type { FilterLists } from './filter-builder.ts';
import type { RecordSink } from './output.ts';
import type { Selection } from './selectors.ts';

/** Most records that `--last` keeps while it reads a file. */
const MAX_LAST = 1_000_000n;

/** What to read, what to keep of it and where it goes. */
export interface FileJob {
  path: string;
  filters: FilterLists;
  selection: Selection;
  renderer: FlowRenderer;
  sink: RecordSink;
  silent: boolean;
}

/** Prints the flows of a file or of stdin. */
export async function observeFile(job: FileJob, ctx: Context): Promise<void> {
  const { selection, sink, renderer } = job;
  if (!selection.first && selection.number > MAX_LAST && selection.number < 1n << 63n)
    throw new UserError(`--last must be <= 1_000_000, got ${selection.number}`);
  const problems: LineProblem[] = [];
  const reader = await lineReader(
    {
      ...job.filters,
      ...(selection.since && { since: selection.since }),
      ...(selection.until && { until: selection.until }),
    },
    (problem) => problems.push(problem),
  );
  const keep = keeper(selection, sink);
  const chunks = job.path === '-' ? wholeLines(ctx.in) : readLines(job.path, ctx.signal);
  for await (const chunk of chunks) {
    const more = eachLine(chunk, (line) => {
      const message = reader.read(line);
      return message === undefined || keep.add(renderer.response(message));
    });
    await sink.flush();
    await tell(problems, renderer, job.silent, ctx);
    if (!more) break;
  }
  keep.end();
  await sink.end();
}

interface Keeper {
  /** False when no more records are wanted. */
  add(text: string): boolean;
  end(): void;
}

/** Passes on the first n, the last n or all records. */
function keeper({ first, number }: Selection, sink: RecordSink): Keeper {
  const limit = Number(number);
  let count = 0;
  if (first) {
    return {
      add: (text) => {
        sink.add(text);
        return ++count < limit;
      },
      end: () => {},
    };
  }
  if (number === 0n || number > MAX_LAST) {
    return {
      add: (text) => {
        sink.add(text);
        return true;
      },
      end: () => {},
    };
  }
  const ring: string[] = [];
  return {
    add: (text) => {
      ring[count++ % limit] = text;
      return true;
    },
    end: () => {
      const from = count > limit ? count % limit : 0;
      for (let i = 0; i < ring.length; i++) sink.add(ring[(from + i) % ring.length] ?? '');
    },
  };
}

/** Logs what was wrong with lines, and prints what nodes reported. */
async function tell(
  problems: LineProblem[],
  renderer: FlowRenderer,
  silent: boolean,
  ctx: Context,
): Promise<void> {
  const status = renderer.takeStatus();
  if (status !== '' && !silent) await ctx.err.write(status);
  for (const { kind, message, line } of problems.splice(0)) {
    const text =
      kind === 'unknown-field'
        ? 'unknown field detected, upgrade the Hubble CLI to get rid of this warning'
        : 'Failed to unmarshal JSON';
    await logLine(ctx, 'WARN', text, { error: message, ...(kind === 'bad-line' && { line: shorten(line) }) });
  }
}

function shorten(line: string): string {
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
