import type { Context } from '../../../context.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import { decode, fieldMaskText } from '../../../hubble/codec.ts';
import type { FlowPredicate } from '../../../hubble/filter.ts';
import { readLines, wholeLines } from '../../../hubble/flow-file.ts';
import { eachLine, lineReader } from '../../../hubble/flow-lines.ts';
import type { GetFlowsRequest, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { formatTimestamp } from '../../../model/timestamp.ts';
import type { FilterLists } from './filter-builder.ts';
import { openFlowStream } from './follow.ts';
import type { OwnJob } from './own.ts';
import type { Selection } from './selectors.ts';

/** Reads the messages that a job means, from a server or a file, in batches. Lost events and node status pass. */
export async function* readMessages(
  job: OwnJob & { local: FlowPredicate | undefined },
  ctx: Context,
  signal: AbortSignal,
): AsyncGenerator<GetFlowsResponse[]> {
  const { local } = job;
  const wanted = (message: GetFlowsResponse) => !message.flow || !local || local(message.flow);
  const source =
    job.flags.inputFile === undefined
      ? fromServer(job, ctx, signal)
      : limited(fromFile(job, job.flags.inputFile, ctx, signal, wanted), job.selection);
  for await (const batch of source) {
    const kept = local ? batch.filter(wanted) : batch;
    if (kept.length > 0) yield kept;
  }
}

async function* fromServer(
  job: OwnJob,
  ctx: Context,
  signal: AbortSignal,
): AsyncGenerator<GetFlowsResponse[]> {
  try {
    for await (const batch of openFlowStream(flowsRequest(job), job.settings, job.flags, ctx, signal)) {
      yield batch.map((bytes) => decodeAnswer(() => decode('observer.GetFlowsResponse', bytes)));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The request that asks for what is meant. */
export function flowsRequest({
  filters,
  selection,
  mask,
}: {
  filters: FilterLists;
  selection: Selection;
  mask: readonly string[];
}): GetFlowsRequest {
  return {
    number: String(selection.number),
    first: selection.first,
    follow: selection.follow,
    whitelist: filters.allow,
    blacklist: filters.deny,
    ...(selection.since && { since: formatTimestamp(selection.since) }),
    ...(selection.until && { until: formatTimestamp(selection.until) }),
    ...(mask.length > 0 && { field_mask: fieldMaskText(mask) }),
  };
}

async function* fromFile(
  job: OwnJob,
  path: string,
  ctx: Context,
  signal: AbortSignal,
  wanted: (message: GetFlowsResponse) => boolean,
): AsyncGenerator<GetFlowsResponse[]> {
  const { since, until } = job.selection;
  let bad = 0;
  const reader = await lineReader(
    { ...job.filters, ...(since && { since }), ...(until && { until }) },
    ({ kind }) => {
      if (kind === 'bad-line') bad++;
    },
  );
  for await (const chunk of path === '-' ? wholeLines(ctx.in) : readLines(path, signal)) {
    const batch: GetFlowsResponse[] = [];
    eachLine(chunk, (line) => {
      const message = reader.read(line);
      if (message && wanted(message)) batch.push(message);
      return true;
    });
    yield batch;
  }
  if (bad > 0) await ctx.err.write(`${path}: ${bad} lines are no flows and were left out\n`);
}

/** Keeps the first or the last n of a file. */
async function* limited(
  batches: AsyncIterable<GetFlowsResponse[]>,
  { first, number }: Selection,
): AsyncGenerator<GetFlowsResponse[]> {
  const limit = Number(number);
  if (limit === 0 || limit > 1_000_000) {
    yield* batches;
    return;
  }
  let kept: GetFlowsResponse[] = [];
  for await (const batch of batches) {
    if (!first) {
      kept.push(...batch);
      if (kept.length > 2 * limit) kept = kept.slice(-limit);
      continue;
    }
    kept = batch.slice(0, limit - Number(kept.length));
    yield kept;
    if (kept.length >= limit) return;
  }
  if (!first) yield kept.slice(-limit);
}
