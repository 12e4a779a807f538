import type { Context } from '../../../context.ts';
import { followFlows } from '../../../hubble/resume.ts';
import type { GetFlowsRequest } from '../../../model/hubble.gen.ts';
import { connectHubble } from '../server.ts';
import type { Settings } from '../settings.ts';
import type { OwnFlags } from './own-flags.ts';

/**
 * A stream of flows, still encoded. One that is followed survives breaks: each is said on stderr, with what may be
 * missing.
 */
export function openFlowStream(
  request: GetFlowsRequest,
  settings: Settings,
  flags: Pick<OwnFlags, 'reconnect' | 'maxReconnects'>,
  ctx: Context,
  signal: AbortSignal = ctx.signal,
): AsyncIterable<Buffer[]> {
  const open = async function* (asked: GetFlowsRequest) {
    await using client = await connectHubble(settings, { ...ctx, signal });
    yield* client.streamBytes('/observer.Observer/GetFlows', asked);
  };
  if (!request.follow || !flags.reconnect) return open(request);
  return followFlows(open, withUuid(request), {
    maxReconnects: flags.maxReconnects ?? Number.POSITIVE_INFINITY,
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

/** A mask for people leaves out the uuid, by which flows are told apart after a break. */
function withUuid(request: GetFlowsRequest): GetFlowsRequest {
  const { field_mask: mask } = request;
  return mask && !mask.split(',').includes('uuid') ? { ...request, field_mask: `${mask},uuid` } : request;
}
