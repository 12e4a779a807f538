import { logLine } from '../../../cli/hubble/log.ts';
import type { Context } from '../../../context.ts';
import { type LineProblem, type LineReader, lineReader } from '../../../hubble/captures/line-reader.ts';
import { CutShort, expandInputs, readCapture } from '../../../hubble/captures/reader.ts';
import { GroupReader, type GroupVisitor } from '../../../hubble/groups/group-reader.ts';
import { chunkReader, messageReader } from '../../../hubble/scan/scanner.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import type { Limit } from './limit.ts';
import type { RecordText } from './record-text.ts';
import type { FlowQuery } from './request.ts';
import { forcedReader, textCollector, wantOf } from './texts.ts';

/** The records of files, folders and globs that a query means, as messages; `-` is stdin. Ends quietly when aborted. */
export function readFileMessages(
  inputs: readonly string[],
  query: FlowQuery,
  ctx: Context,
  signal: AbortSignal,
): AsyncGenerator<GetFlowsResponse[]> {
  const read: ReadChunks<GetFlowsResponse> = (lines) => messageReader(lines, forcedReader(ctx));
  return untilAborted(readFiles(inputs, query, read, ctx, signal), signal);
}

/**
 * The same records as text: read no further than they are printed where the format allows it. A limit that counts
 * from the first record ends the reading with the line that it is reached at.
 */
export function readFileTexts(
  inputs: readonly string[],
  query: FlowQuery,
  renderer: FlowRenderer,
  limit: Limit | undefined,
  ctx: Context,
): AsyncGenerator<RecordText[]> {
  const read: ReadChunks<RecordText> = (lines) => {
    const readTexts = chunkReader(lines, { want: wantOf(renderer), ...forcedReader(ctx) });
    return (chunk) => {
      const texts: RecordText[] = [];
      readTexts(chunk, textCollector(texts, renderer, limit));
      return texts;
    };
  };
  return untilAborted(readFiles(inputs, query, read, ctx, ctx.signal), ctx.signal);
}

/** The same flows in groups of those that are alike in some fields, with their times. Yields after each chunk. */
export function readFileGroups<G>(
  inputs: readonly string[],
  query: FlowQuery,
  fields: readonly string[],
  visitor: GroupVisitor<G>,
  ctx: Context,
): AsyncGenerator<never[]> {
  const read: ReadChunks<never> = (lines) => {
    const groups = new GroupReader(lines, fields, visitor, { isTimed: true });
    return (chunk) => {
      groups.read(chunk);
      return [];
    };
  };
  return untilAborted(readFiles(inputs, query, read, ctx, ctx.signal), ctx.signal);
}

/** Reads chunks of whole lines, by a reader that decides about lines. */
type ReadChunks<T> = (lines: LineReader) => (chunk: Buffer) => T[];

const NEWLINE = 0x0a;

/**
 * Reads files chunk by chunk, and logs what is wrong with their lines. One that is cut short is told and makes the exit code
 * 1, and keeps neither the next from being read nor what was read from being shown.
 */
async function* readFiles<T>(
  inputs: readonly string[],
  { filters, selection: { since, until } }: FlowQuery,
  reader: ReadChunks<T>,
  ctx: Context,
  signal: AbortSignal,
): AsyncGenerator<T[]> {
  const problems: LineProblem[] = [];
  const lines = await lineReader(
    { ...filters, ...(since && { since }), ...(until && { until }) },
    (problem) => problems.push(problem),
  );
  const read = reader(lines);
  for (const path of await expandInputs(inputs, ctx.cwd)) {
    lines.number = 0;
    try {
      for await (const chunk of readCapture(path, ctx.in, signal)) {
        const records = read(chunk);
        const isCut = chunk.at(-1) !== NEWLINE;
        for (const problem of problems.splice(0))
          await logProblem(problem, path, isCut && problem.number === lines.number, ctx);
        yield records;
      }
    } catch (error) {
      if (!(error instanceof CutShort)) throw error;
      await ctx.err.write(`${error.message}\n${error.hint}\n`);
      ctx.exitCode = 1;
    }
  }
}

async function logProblem(
  { kind, message, line, number }: LineProblem,
  path: string,
  isCut: boolean,
  ctx: Context,
): Promise<void> {
  const text =
    kind === 'unknown-field'
      ? 'unknown field detected, upgrade the Hubble CLI to get rid of this warning'
      : 'Failed to unmarshal JSON';
  const at = `${path === '-' ? 'stdin' : path}:${number}`;
  await logLine(ctx, 'WARN', text, {
    error: message,
    at,
    // As a recorder that is killed leaves it.
    ...(isCut && { cut: 'the file ends within this line' }),
    ...(kind === 'bad-line' && { line: shorten(line) }),
  });
}

function shorten(line: string): string {
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
