import { connectHubble } from '../../../cli/hubble/server.ts';
import type { Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { RpcError } from '../../../hubble/grpc/status.ts';
import { followFlows } from '../../../hubble/resume.ts';
import type { GetFlowsRequest } from '../../../model/hubble.gen.ts';

/** How a server is reached, and what happens when a stream that is followed breaks. */
export interface ServerAccess {
  settings: Settings;
  reconnect: boolean;
  /** Attempts in a row; no limit when absent. */
  maxReconnects?: number | undefined;
  /** Who is told of breaks; stderr when absent. */
  news?: StreamNews | undefined;
  /** Whether a followed stream is tried again that does not stand at first: not when absent. */
  onNoStart?: ((error: RpcError) => Promise<boolean>) | undefined;
  /** Called at the end where not all clusters that were named have told all that they hold. */
  onPartial: () => void;
}

/** What is said of a stream that breaks while it is followed. */
export interface StreamNews {
  /** It broke, or an attempt to mend it failed, or it never stood; the next one is made in `waitMs`. */
  broke(cause: string, attempt: number, waitMs: number, stood: boolean): void | Promise<void>;
  /** It is back: how long it took, and what may be missing. */
  back(text: string): void | Promise<void>;
}

function newsOnStderr({ err }: Context): StreamNews {
  return {
    broke: async (cause, attempt, waitMs, stood) => {
      if (attempt === 1 && stood)
        await err.write(`The stream broke (${cause}); connecting again, Ctrl-C ends.\n`);
      else if (attempt % 5 === 0)
        await err.write(`Still no answer after ${attempt} attempts; the next is in ${waitMs / 1000} s.\n`);
    },
    back: (text) => err.write(`${text}\n`),
  };
}

/** `observe` prints what a server says in its own words alone, without a code, as the reference does. */
export function inWordsOfObserve(error: unknown): unknown {
  if (!(error instanceof RpcError) || error.code !== 'Unknown' || error.desc.trim() === '') return error;
  return new UserError(error.desc, { hint: error.hint, cause: error });
}

/**
 * A stream of flows, still encoded. One that is followed survives breaks: each is reported on stderr, with what may
 * be missing.
 */
export function openStream(
  request: GetFlowsRequest,
  {
    settings,
    reconnect,
    maxReconnects = Number.POSITIVE_INFINITY,
    news: told,
    onNoStart,
  }: Omit<ServerAccess, 'onPartial'>,
  ctx: Context,
  signal: AbortSignal,
): AsyncIterable<Buffer[]> {
  const open = async function* (asked: GetFlowsRequest) {
    await using client = await connectHubble(settings, { ...ctx, signal });
    yield* client.streamBytes('/observer.Observer/GetFlows', asked);
  };
  if (!request.follow || !reconnect) return open(request);
  const news = told ?? newsOnStderr(ctx);
  return followFlows(open, withUuid(request), {
    maxReconnects,
    nowMs: ctx.clock.nowMs,
    sleep: ctx.clock.sleep,
    signal,
    onNoStart,
    onBreak: async (cause, attempt, waitMs, stood) => await news.broke(cause, attempt, waitMs, stood),
    onResume: async ({ lengthMs, after, complete }) => {
      const length = `${(lengthMs / 1000).toFixed(1)} s`;
      const missing =
        after === undefined
          ? 'nothing had been shown before'
          : complete
            ? 'nothing is missing'
            : `flows after ${after} may be missing: the server no longer held them`;
      await news.back(`The stream is back after ${length}; ${missing}.`);
    },
  });
}

/** A default mask leaves out the uuid, by which flows are told apart after a break. */
function withUuid(request: GetFlowsRequest): GetFlowsRequest {
  const { field_mask: mask } = request;
  return mask && !mask.split(',').includes('uuid') ? { ...request, field_mask: `${mask},uuid` } : request;
}
