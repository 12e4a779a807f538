import { relative } from 'node:path';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type LineQuery, type LineReader, lineReader } from '../../hubble/captures/line-reader.ts';
import { expandInputs, readCapture } from '../../hubble/captures/reader.ts';
import { parseRecord } from '../../hubble/captures/record-line.ts';
import { GroupReader, type GroupVisitor } from '../../hubble/groups/group-reader.ts';
import { ProtoJsonError } from '../../hubble/protobuf/protojson.ts';
import { messageReader } from '../../hubble/scan/scanner.ts';
import type { FlowFilter } from '../../model/hubble.gen.ts';
import { ALIKE_FIELDS, FLOW_FIELDS, type FlowRecord } from '../../policy/evaluate/decide/connections.ts';
import type { AlikeFlows, FlowTable } from '../../policy/reports/flow-table.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { integer } from '../flags.ts';
import { withRecordedFlows } from '../hubble/recorded.ts';
import { connectHubble } from '../hubble/server.ts';
import { readSettings } from '../hubble/settings.ts';
import { withProgress } from '../progress.ts';

/** The flags that say where flows come from. */
export interface FlowFlags {
  flows?: string;
  last: number;
}

const FLOWS =
  'Flows as "hubble observe -o json" prints them, also compressed: a file, a folder, a glob, or - for stdin';

/** Adds `--flows` and the flags of a live source. */
export function addFlowOptions(command: Command): Command {
  return command
    .option('-f, --flows <path>', `${FLOWS} (default: ask Hubble)`)
    .option('--server <address>', 'Address of a Hubble server (default: the same as for "hubble observe")')
    .addOption(integer('--last <n>', 'Number of flows to request from Hubble', { min: 1 }).default(10_000));
}

/** `--flows` alone, for verbs that never ask Hubble. */
export function flowFileOption(): Option {
  return new Option('-f, --flows <path>', FLOWS);
}

/** Who takes flows as they are read, and what they read of them. */
export interface FlowTaker<G> extends GroupVisitor<G> {
  fields: readonly string[];
  isTimed?: boolean;
}

/** Adds flows to a table. */
export function tableTaker(table: FlowTable): FlowTaker<AlikeFlows> {
  return {
    fields: ALIKE_FIELDS,
    flow: (flow) => table.add(flow),
    group: (first) => table.alike(first),
    member: (group, source, destination, uuid) => table.addAlike(group, source, destination, uuid),
  };
}

/** Hands on the flows of the file, or those of the Hubble server when there is none. */
export async function takeFlows<G>(
  command: Command,
  { flows, last }: FlowFlags,
  ctx: Context,
  taker: FlowTaker<G>,
): Promise<void> {
  let read = 0;
  const what = flows === undefined ? 'flows' : 'MB of flows';
  const far = () => `${flows === undefined ? read : Math.round(read / 1e6)} ${what} read`;
  await withProgress(ctx, far, (told) =>
    readFlows(command, { flows, last }, told, taker, (more) => {
      read += more;
    }),
  );
}

async function readFlows<G>(
  command: Command,
  { flows, last }: FlowFlags,
  ctx: Context,
  taker: FlowTaker<G>,
  onRead: (more: number) => void,
): Promise<void> {
  if (flows === undefined) {
    for await (const flow of askHubble(command, ctx, last)) {
      taker.flow(flow);
      onRead(1);
    }
    return;
  }
  for (const { file, shown } of await inputsOf(ctx, flows)) {
    const { lines, warn } = await linesOf(shown, ctx);
    const { fields, isTimed = false } = taker;
    const groups = new GroupReader<G>(lines, fields, taker, { isTimed });
    for await (const chunk of readCapture(file, ctx.in, ctx.signal)) {
      groups.read(chunk);
      onRead(chunk.length);
      await warn();
    }
  }
}

/** The last flows of the Hubble server that a filter lets through. */
export async function* askHubble(
  command: Command,
  ctx: Context,
  last: number,
  filter?: FlowFilter,
): AsyncGenerator<FlowRecord> {
  const recorded = await withRecordedFlows(ctx);
  if (recorded)
    return yield* lastOf(readCaptureFile(recorded, '-', ctx.globals.archive?.label ?? '', filter), last);
  await using client = await connectHubble(await readSettings(command, ctx), ctx);
  const request = { number: String(last), ...(filter && { whitelist: [filter] }) };
  for await (const { flow } of client.stream('/observer.Observer/GetFlows', request)) if (flow) yield flow;
}

async function* lastOf(flows: AsyncIterable<FlowRecord>, count: number): AsyncGenerator<FlowRecord> {
  let kept: FlowRecord[] = [];
  for await (const flow of flows) {
    kept.push(flow);
    if (kept.length >= 2 * count) kept = kept.slice(-count);
  }
  yield* kept.slice(-count);
}

/** Reads flows line by line, of a file, a folder of captures or a glob. Lines without a flow are skipped. */
export async function* readFlowFile(ctx: Context, from: string): AsyncGenerator<FlowRecord> {
  for (const { file, shown } of await inputsOf(ctx, from)) yield* readCaptureFile(ctx, file, shown);
}

/** Files with what messages call them. */
async function inputsOf(ctx: Context, from: string): Promise<{ file: string; shown: string }[]> {
  const files = await expandInputs([from], ctx.cwd, '--flows');
  return files.map((file) => ({ file, shown: files.length > 1 ? relative(ctx.cwd, file) : from }));
}

async function* readCaptureFile(
  ctx: Context,
  file: string,
  shown: string,
  filter?: FlowFilter,
): AsyncGenerator<FlowRecord> {
  const filters = { allow: filter ? [filter] : [], deny: [] };
  const { lines, warn } = await linesOf(shown, ctx, filters);
  const read = messageReader(lines, { fields: FLOW_FIELDS });
  for await (const chunk of readCapture(file, ctx.in, ctx.signal)) {
    const flows = read(chunk).flatMap(({ flow }) => flow ?? []);
    await warn();
    yield* flows;
  }
}

/** A reader of lines that throws at one that is no flow. `warn` says once that a line holds names that are newer. */
async function linesOf(
  shown: string,
  ctx: Context,
  filters: LineQuery = { allow: [], deny: [] },
): Promise<{ lines: LineReader; warn: () => Promise<void> }> {
  let newer: string | undefined;
  const lines = await lineReader(filters, ({ kind, message, number }) => {
    // A verdict on the rest of a file would be a guess.
    if (kind === 'bad-line') throw notFlow(`${shown}:${number}`, message);
    newer ??= `Warning: ${shown}:${number}: ${message}: names that this program does not know are passed over\n`;
  });
  let said = false;
  const warn = async () => {
    if (newer !== undefined && !said) await ctx.err.write(sanitize(newer));
    said = newer !== undefined;
  };
  return { lines, warn };
}

function notFlow(where: string, message: string): UserError {
  return new UserError(`${where}: not a flow: ${message}`, {
    hint: 'Flows must be in the form that "hubble observe -o json" prints: one JSON object per line.',
  });
}

/** The flow in a line of JSON that was given as an argument. Names that are newer than this program are passed over. */
export function parseFlow(text: string): FlowRecord {
  try {
    const { flow } = parseRecord(text, { ignoreUnknown: true });
    if (flow) return flow;
  } catch (error) {
    if (error instanceof ProtoJsonError) throw notFlow('the argument', error.message);
    throw error;
  }
  throw notFlow('the argument', 'it has none of the fields of a flow');
}
