import { connectHubble } from '../../../cli/hubble/server.ts';
import type { Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { lineReader } from '../../../hubble/captures/line-reader.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import { messagesOf } from '../../../hubble/grpc/frames.ts';
import { RpcError } from '../../../hubble/grpc/status.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import { followFlows } from '../../../hubble/resume.ts';
import { answerReader } from '../../../hubble/scan/scanner.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import type { GetFlowsRequest, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import type { RecordText } from './record-text.ts';
import { type FlowQuery, flowsRequest } from './request.ts';
import { forcedReader, textCollector, wantOf } from './texts.ts';

/** How a server is reached, and what happens when a stream that is followed breaks. */
export interface ServerAccess {
  settings: Settings;
  reconnect: boolean;
  /** Attempts in a row; no limit when absent. */
  maxReconnects?: number | undefined;
}

/** The answers of a server in batches, made by `read` of their bytes. Ends quietly when aborted. */
export async function* readServer<T>(
  query: FlowQuery,
  access: ServerAccess,
  read: (answers: readonly Buffer[]) => T[],
  ctx: Context,
  signal: AbortSignal = ctx.signal,
): AsyncGenerator<T[]> {
  const stream = openStream(flowsRequest(query), access, ctx, signal);
  try {
    for await (const batch of untilAborted(stream, signal)) yield decodeAnswer(() => read(batch));
  } catch (error) {
    throw inWordsOfObserve(error);
  }
}

/** `observe` prints what a server says in its own words alone, without a code, as the reference does. */
export function inWordsOfObserve(error: unknown): unknown {
  if (!(error instanceof RpcError) || error.code !== 'Unknown' || error.desc.trim() === '') return error;
  return new UserError(error.desc, { hint: error.hint, cause: error });
}

/** Reads whole answers. */
export function readMessages(answers: readonly Buffer[]): GetFlowsResponse[] {
  return answers.flatMap((whole) =>
    Array.from(messagesOf(whole), (bytes) => decode('observer.GetFlowsResponse', bytes)),
  );
}

/** Reads answers as text: only what is printed of them where the format allows it, else whole messages. */
export async function textReader(
  renderer: FlowRenderer,
  ctx: Context,
): Promise<(answers: readonly Buffer[]) => RecordText[]> {
  const lines = await lineReader({ allow: [], deny: [] }, () => {});
  const filters = { allow: [], deny: [] };
  const read = answerReader(lines, { ...wantOf(renderer), filters, timed: false, ...forcedReader(ctx) });
  return (answers) => {
    const texts: RecordText[] = [];
    read(answers, textCollector(texts, renderer, undefined));
    return texts;
  };
}

/**
 * A stream of flows, still encoded. One that is followed survives breaks: each is reported on stderr, with what may
 * be missing.
 */
function openStream(
  request: GetFlowsRequest,
  { settings, reconnect, maxReconnects = Number.POSITIVE_INFINITY }: ServerAccess,
  ctx: Context,
  signal: AbortSignal,
): AsyncIterable<Buffer[]> {
  const open = async function* (asked: GetFlowsRequest) {
    await using client = await connectHubble(settings, { ...ctx, signal });
    yield* client.streamBytes('/observer.Observer/GetFlows', asked);
  };
  if (!request.follow || !reconnect) return open(request);
  return followFlows(open, withUuid(request), {
    maxReconnects,
    nowMs: ctx.clock.nowMs,
    sleep: ctx.clock.sleep,
    signal,
    onBreak: async (cause, attempt, waitMs) => {
      if (attempt === 1) await ctx.err.write(`The stream broke (${cause}); connecting again, Ctrl-C ends.\n`);
      else if (attempt % 5 === 0)
        await ctx.err.write(
          `Still no answer after ${attempt} attempts; the next is in ${waitMs / 1000} s.\n`,
        );
    },
    onResume: async ({ lengthMs, after, complete }) => {
      const length = `${(lengthMs / 1000).toFixed(1)} s`;
      const missing =
        after === undefined
          ? 'nothing had been shown before'
          : complete
            ? 'nothing is missing'
            : `flows after ${after} may be missing: the server no longer held them`;
      await ctx.err.write(`The stream is back after ${length}; ${missing}.\n`);
    },
  });
}

/** A default mask leaves out the uuid, by which flows are told apart after a break. */
function withUuid(request: GetFlowsRequest): GetFlowsRequest {
  const { field_mask: mask } = request;
  return mask && !mask.split(',').includes('uuid') ? { ...request, field_mask: `${mask},uuid` } : request;
}
