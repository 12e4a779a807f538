import { relative } from 'node:path';
import { type Command, Option } from 'commander';
import { integer } from '../../cli/flags.ts';
import { connectHubble } from '../../cli/hubble/server.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { eachLine } from '../../hubble/captures/line-reader.ts';
import { expandInputs, readCapture } from '../../hubble/captures/reader.ts';
import { withoutMark } from '../../hubble/captures/record-line.ts';
import type { FlowFilter } from '../../model/hubble.gen.ts';
import type { FlowRecord } from '../../policy/evaluate/decide/connections.ts';

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

/** The flows of the file, or those of the Hubble server when there is none. */
export function readFlows(
  command: Command,
  { flows, last }: FlowFlags,
  ctx: Context,
): AsyncGenerator<FlowRecord> {
  return flows === undefined ? askHubble(command, ctx, last) : readFlowFile(ctx, flows);
}

/** The last flows of the Hubble server that a filter lets through. */
export async function* askHubble(
  command: Command,
  ctx: Context,
  last: number,
  filter?: FlowFilter,
): AsyncGenerator<FlowRecord> {
  await using client = await connectHubble(await readSettings(command, ctx), ctx);
  const request = { number: String(last), ...(filter && { whitelist: [filter] }) };
  for await (const { flow } of client.stream('/observer.Observer/GetFlows', request)) if (flow) yield flow;
}

/** Reads flows line by line, of a file, a folder of captures or a glob. Lines without a flow are skipped. */
export async function* readFlowFile(ctx: Context, from: string): AsyncGenerator<FlowRecord> {
  const files = await expandInputs([from], ctx.cwd, '--flows');
  for (const file of files)
    yield* readCaptureFile(ctx, file, files.length > 1 ? relative(ctx.cwd, file) : from);
}

async function* readCaptureFile(ctx: Context, file: string, shown: string): AsyncGenerator<FlowRecord> {
  let line = 0;
  for await (const chunk of readCapture(file, ctx.in, ctx.signal)) {
    const flows: FlowRecord[] = [];
    eachLine(chunk, (bytes) => {
      line++;
      if (bytes.length === 0) return true;
      const flow = flowOf(parse(withoutMark(bytes.toString('utf8')), shown, line));
      if (flow) flows.push(flow);
      return true;
    });
    yield* flows;
  }
}

function parse(text: string, path: string, line: number): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}:${line}: not JSON: ${errorMessage(error)}`, {
      hint: 'Flows must be in the form that "hubble observe -o json" prints: one JSON object per line.',
      cause: error,
    });
  }
}

/** The flow of a GetFlows answer, or the object itself in the older form. */
export function flowOf(value: unknown): FlowRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('flow' in value) return flowOf(value.flow);
  return 'verdict' in value || 'IP' in value ? (value as FlowRecord) : undefined;
}
