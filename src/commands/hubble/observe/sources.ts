import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { eachLine, type LineProblem, lineReader } from '../../../hubble/captures/flow-lines.ts';
import { expandInputs, readCapture } from '../../../hubble/captures/inputs.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import type { FlowPredicate } from '../../../hubble/filter/filter.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { openFlowStream } from './follow.ts';
import type { OwnJob } from './own.ts';
import { logProblems } from './problems.ts';
import { flowsRequest } from './request.ts';
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
    job.flags.inputFile.length === 0
      ? fromServer(job, ctx, signal)
      : limited(
          job.flags.sort ? sorted(fromFiles(job, ctx, signal, wanted)) : fromFiles(job, ctx, signal, wanted),
          job.selection,
        );
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

async function* fromFiles(
  job: OwnJob,
  ctx: Context,
  signal: AbortSignal,
  wanted: (message: GetFlowsResponse) => boolean,
): AsyncGenerator<GetFlowsResponse[]> {
  const { since, until } = job.selection;
  const problems: LineProblem[] = [];
  const query = { ...job.filters, ...(since && { since }), ...(until && { until }) };
  const reader = await lineReader(query, (problem) => problems.push(problem));
  for (const path of await expandInputs(job.flags.inputFile, ctx.cwd)) {
    reader.number = 0;
    for await (const chunk of readCapture(path, ctx.in, signal)) {
      const batch: GetFlowsResponse[] = [];
      eachLine(chunk, (line) => {
        reader.number++;
        const message = reader.read(line);
        if (message && wanted(message)) batch.push(message);
        return true;
      });
      await logProblems(problems, path, ctx);
      yield batch;
    }
  }
}

/** Most records that are put in order of time, or kept for `--last`. */
const MOST_KEPT = 1_000_000;

/** All messages in the order of their times; they have to fit into memory. */
async function* sorted(batches: AsyncIterable<GetFlowsResponse[]>): AsyncGenerator<GetFlowsResponse[]> {
  const all: GetFlowsResponse[] = [];
  for await (const batch of batches) {
    for (const message of batch) all.push(message);
    if (all.length > MOST_KEPT)
      throw new UserError(`--sort takes up to ${MOST_KEPT} records`, {
        hint: 'Narrow them with filters, --since or --until.',
      });
  }
  const timeOf = ({ flow, time }: GetFlowsResponse) => flow?.time ?? time ?? '';
  // RFC 3339 times in UTC sort as text once their fractions are equally long.
  const keyed = all.map((message) => ({
    message,
    key: timeOf(message).replace(/(?:\.(\d*))?Z$/, (_, f = '') => `.${f.padEnd(9, '0')}`),
  }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  yield keyed.map(({ message }) => message);
}

/** Keeps the first or the last n of a file. */
async function* limited(
  batches: AsyncIterable<GetFlowsResponse[]>,
  { first, number }: Selection,
): AsyncGenerator<GetFlowsResponse[]> {
  const limit = Number(number);
  if (limit === 0 || limit > MOST_KEPT) {
    yield* batches;
    return;
  }
  let kept: GetFlowsResponse[] = [];
  let count = 0;
  for await (const batch of batches) {
    if (first) {
      yield batch.slice(0, limit - count);
      count += batch.length;
      if (count >= limit) return;
      continue;
    }
    kept.push(...batch);
    if (kept.length > 2 * limit) kept = kept.slice(-limit);
  }
  if (!first) yield kept.slice(-limit);
}
