import { connectHubble } from '../../../cli/hubble/server.ts';
import type { Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import { RowDecoder } from '../../../hubble/fast/row-decoder.ts';
import { RpcError } from '../../../hubble/grpc/status.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import { followFlows } from '../../../hubble/resume.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import { FlowRow } from '../../../model/flow-row.ts';
import type { GetFlowsRequest, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-renderer.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import { type FlowQuery, flowsRequest } from './request.ts';

/** How a server is reached, and what happens when a stream that is followed breaks. */
export interface ServerAccess {
  settings: Settings;
  reconnect: boolean;
  /** Attempts in a row; no limit when absent. */
  maxReconnects?: number | undefined;
}

/** The answers of a server in batches, each made by `read` of its bytes. Ends quietly when aborted. */
export async function* readServer<T>(
  query: FlowQuery,
  access: ServerAccess,
  read: (bytes: Buffer) => T,
  ctx: Context,
  signal: AbortSignal = ctx.signal,
): AsyncGenerator<T[]> {
  const stream = openStream(flowsRequest(query), access, ctx, signal);
  try {
    for await (const batch of untilAborted(stream, signal))
      yield batch.map((bytes) => decodeAnswer(() => read(bytes)));
  } catch (error) {
    throw inWordsOfObserve(error);
  }
}

/** `observe` prints what a server says in its own words alone, without a code, as the reference does. */
export function inWordsOfObserve(error: unknown): unknown {
  if (!(error instanceof RpcError) || error.code !== 'Unknown' || error.desc.trim() === '') return error;
  return new UserError(error.desc, { hint: error.hint, cause: error });
}

/** Reads a whole answer. */
export function readMessage(bytes: Buffer): GetFlowsResponse {
  return decode('observer.GetFlowsResponse', bytes);
}

/** Reads answers as text: only what is printed of them where the format allows it, else whole messages. */
export function textReader(renderer: FlowRenderer): (bytes: Buffer) => string {
  const whole = (bytes: Buffer) => renderer.response(readMessage(bytes));
  if (renderer.needsWholeFlows) return whole;
  const decoder = new RowDecoder(sanitizeCell);
  const row = new FlowRow();
  return (bytes) => (decoder.decode(bytes, row) ? renderer.row(row) : whole(bytes));
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
