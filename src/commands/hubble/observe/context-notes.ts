import type { Context } from '../../../context.ts';
import { isNodeNews, timeOfAnswer } from '../../../hubble/answer-time.ts';
import { framesOf, withoutHead } from '../../../hubble/grpc/frames.ts';
import { LiveClock } from '../../../hubble/live-clock.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import { goDuration } from '../../../render/text/duration.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';

/** Passes the answers of the cluster with a label on, and says on stderr what is to be known of it. */
export type Noting = (
  label: string,
  stream: AsyncIterable<Buffer[]>,
  signal: AbortSignal,
) => AsyncGenerator<Buffer[]>;

/** Where nothing is followed, all wait for the first flow of each: said when it takes so long. */
const SILENCE_MS = 10_000;
/** Clocks that differ by more are said to. */
const CLOCKS_MS = 60_000;

/** Tells once of a cluster that sends no flow, for which the flows of the others wait. */
export function notingSilence(ctx: Context): Noting {
  const tell = async (label: string, signal: AbortSignal) => {
    const startMs = ctx.clock.uptimeMs();
    await ctx.clock.sleep(SILENCE_MS, signal);
    // A clock that is held still says nothing of how long it took.
    if (signal.aborted || ctx.clock.uptimeMs() === startMs) return;
    await ctx.err.write(
      `${label} has sent no flow for ${SILENCE_MS / 1000} s, and the flows of the others wait for it. Ctrl-C ends; without its --context they come at once.\n`,
    );
  };
  return async function* (label, stream, signal) {
    const heard = new AbortController();
    // A note that cannot be written, or is not needed any more, ends nothing.
    tell(label, AbortSignal.any([signal, heard.signal])).catch(() => {});
    try {
      for await (const batch of stream) {
        if (!heard.signal.aborted && hasMoreThanNews(batch)) heard.abort();
        yield batch;
      }
    } finally {
      heard.abort();
    }
  };
}

function hasMoreThanNews(batch: readonly Buffer[]): boolean {
  for (const whole of batch) for (const framed of framesOf(whole)) if (!isNodeNews(framed)) return true;
  return false;
}

/** Tells once when the flows that two clusters send at a time are of times far apart. */
export function notingClocks(ctx: Context): Noting {
  const clocks = new Map<string, LiveClock>();
  let isTold = false;
  const compare = async (label: string, clock: LiveClock) => {
    for (const [other, { behindMs }] of clocks) {
      if (isTold || behindMs === undefined || clock.behindMs === undefined) continue;
      const apartMs = Math.abs(behindMs - clock.behindMs);
      if (apartMs <= CLOCKS_MS) continue;
      isTold = true;
      const apart = goDuration(Math.round(apartMs / 1000) * 1e9);
      await ctx.err.write(
        `The flows that ${other} and ${label} send now are ${apart} apart in time: their clocks differ, or one of them is late. The order between them is not to be trusted.\n`,
      );
    }
  };
  return async function* (label, stream) {
    const clock = new LiveClock();
    clocks.set(label, clock);
    for await (const batch of stream) {
      if (!isTold && clock.look(ctx.clock.nowMs(), () => newestIn(batch))) await compare(label, clock);
      yield batch;
    }
  };
}

/** The time of the last flow of a batch. */
function newestIn(batch: readonly Buffer[]): number | undefined {
  const times = [...framesOf(batch.at(-1) ?? Buffer.alloc(0))].map(timeOfAnswer);
  const time = times.findLast((one) => one !== undefined);
  return time && time.seconds * 1000 + time.nanos / 1e6;
}

/** Tells when two clusters have the same name, by which flows are told apart. */
export function notingNames(labels: readonly string[], ctx: Context): Noting {
  const labelOf = new Map<string, string>();
  const tell = async (label: string, cluster: string) => {
    const other = labelOf.get(cluster);
    labelOf.set(cluster, other ?? label);
    if (other === undefined) return;
    const [first, second] = labels.filter((one) => one === other || one === label);
    await ctx.err.write(
      `The clusters of ${first} and ${second} are both called ${sanitizeCell(cluster)}: the name of its node does not tell which one a flow is from.\n`,
    );
  };
  return async function* (label, stream) {
    let isKnown = false;
    for await (const batch of stream) {
      const cluster: string | undefined = isKnown ? undefined : clusterIn(batch);
      isKnown ||= cluster !== undefined;
      if (cluster) await tell(label, cluster);
      yield batch;
    }
  };
}

/** The cluster of the first flow, with which the name of its node begins: empty where it does not, undefined without a flow. */
function clusterIn(batch: readonly Buffer[]): string | undefined {
  for (const whole of batch)
    for (const framed of framesOf(whole)) {
      if (!timeOfAnswer(framed)) continue;
      const { node_name: node = '' } = decode('observer.GetFlowsResponse', withoutHead(framed));
      return node.slice(0, Math.max(node.indexOf('/'), 0));
    }
  return undefined;
}
