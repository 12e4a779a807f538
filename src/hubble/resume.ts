import { compareTimestamps, formatTimestamp, parseTimestamp, type Timestamp } from '../lib/timestamp.ts';
import type { GetFlowsRequest } from '../model/hubble.gen.ts';
import { framesOf, withoutHead } from './grpc/frames.ts';
import { ConnectionLost, RpcError } from './grpc/status.ts';
import { LastMessages } from './last-messages.ts';
import { decode } from './protobuf/codec.ts';

/** A break in a stream that was followed, and how it was mended. */
export interface Gap {
  /** Why the stream broke. */
  cause: string;
  /** How long it took until the server answered again. */
  lengthMs: number;
  /** Time of the last flow before the break, of the node that may lack flows; undefined when none had come yet. */
  after: string | undefined;
  /** True when every node sent flows again that had been seen: then it still held all that came between. */
  complete: boolean;
}

/** How a stream is followed across breaks. */
export interface FollowOptions {
  /** Attempts in a row; 0 turns it off. */
  maxReconnects: number;
  nowMs: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  /** Called when the connection does not stand at first: whether it is tried again, as one that broke. It is not when absent. */
  onNoStart?: ((error: RpcError) => Promise<boolean>) | undefined;
  /** Called before each attempt with how often it was tried, how long it waits, and whether the stream ever stood. */
  onBreak: (cause: string, attempt: number, waitMs: number, stood: boolean) => Promise<void>;
  /** Called with the first answer after a break. */
  onResume: (gap: Gap) => Promise<void>;
}

/** Yields messages behind their heads, which are overwritten when the next ones are asked for. */
type Stream = (request: GetFlowsRequest) => AsyncIterable<Buffer[]>;

/** Bytes of messages that are remembered for the comparison after a break; they are decoded only then. */
const REMEMBERED_BYTES = 12 * 1024 * 1024;
/** What may arrive late at a relay: so far before the last flow of a node the resumed stream starts. */
const OVERLAP_S = 2;
/** How far the clock of a server that has sent nothing yet may be behind this one. */
const CLOCKS_S = 10;
/** How long it is waited for every node to be heard of before the gap is reported. */
const REPORT_MS = 5000;
/** So long after a break flows may still be repeated. */
const REPEAT_MS = 60_000;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
/** Ends of a stream that are the connection's, not an answer to the request. */
const BREAKS = new Set(['Unavailable', 'Internal', 'Aborted', 'Canceled', 'Unknown', 'DeadlineExceeded']);

/**
 * Follows a stream of flows: when it breaks, connects again with growing pauses, asks for everything since shortly
 * before the last flow of the node whose clock is furthest behind, and leaves out what was seen already, by uuid. A
 * stream that the server ends properly stays ended. A first connection that does not stand is tried again only where
 * `onNoStart` says so.
 */
export async function* followFlows(
  open: Stream,
  request: GetFlowsRequest,
  options: FollowOptions,
): AsyncGenerator<Buffer[]> {
  const startMs = options.nowMs();
  const memory = new Memory(request.since !== undefined);
  let asked = request;
  let broke: { cause: string; atMs: number; backMs?: number } | undefined;
  let stood = false;
  for (let attempt = 0; ; ) {
    const openMs = options.nowMs();
    try {
      for await (const batch of open(asked)) {
        stood = true;
        attempt = 0;
        const nowMs = options.nowMs();
        const fresh = memory.sift(batch, nowMs);
        if (broke) {
          broke.backMs ??= nowMs;
          if (memory.isDecided || nowMs - broke.backMs >= REPORT_MS) {
            const { cause, atMs, backMs } = broke;
            broke = undefined;
            await options.onResume({ cause, lengthMs: backMs - atMs, ...memory.gap });
          }
        }
        memory.keep(fresh);
        if (fresh.length > 0) yield fresh;
      }
      return;
    } catch (error) {
      const nowMs = options.nowMs();
      stood ||= error instanceof ConnectionLost;
      if (options.signal.aborted || !isBreak(error)) throw error;
      // A connection without flows that lasted was none of the attempts in a row.
      if (error instanceof ConnectionLost && nowMs - openMs > LONGEST_WAIT_MS) attempt = 0;
      if (attempt >= options.maxReconnects) throw error;
      if (!stood && !(await options.onNoStart?.(error))) throw error;
      // One that breaks again before it was reported is one gap, which lasts on.
      broke = { cause: broke?.cause ?? error.message, atMs: broke?.atMs ?? nowMs };
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
      attempt++;
      await options.onBreak(error.message, attempt, waitMs, stood);
      await options.sleep(waitMs, options.signal);
      asked = again(request, memory.resumePoint(), startMs);
    }
  }
}

/** The request that goes on where the stream broke. */
function again(request: GetFlowsRequest, seenUntil: Timestamp | undefined, startMs: number): GetFlowsRequest {
  const { until: _, ...rest } = request;
  if (seenUntil) return { ...rest, number: '0', since: formatTimestamp(seenUntil) };
  // Nothing was seen: what was asked for is asked again, and flows that are new to come are those since the start.
  if (request.since || (request.number ?? '0') !== '0') return request;
  return { ...rest, since: formatTimestamp({ seconds: Math.floor(startMs / 1000) - CLOCKS_S, nanos: 0 }) };
}

function isBreak(error: unknown): error is RpcError {
  return error instanceof RpcError && BREAKS.has(error.code);
}

/** What is remembered of one node at a break; clocks of nodes differ, so that each has its own times. */
interface NodeMemory {
  oldest: Timestamp;
  last: Timestamp;
  /** What the resumed stream began with: a flow that had been seen, or a new one. */
  began?: 'repeated' | 'new';
  /** True when the resumed stream is well past the break. */
  past: boolean;
}

/** The last messages of a stream, and after a break what of the new stream was among them. */
class Memory {
  readonly #last = new LastMessages(REMEMBERED_BYTES);
  #seen = new Set<string>();
  #nodes = new Map<string, NodeMemory>();
  #full = false;
  #resumedMs: number | undefined;

  /** Without `hasSince` the stream began with what came first of each node: what is older was not asked for. */
  constructor(private readonly hasSince: boolean) {}

  keep(batch: readonly Buffer[]): void {
    for (const whole of batch) this.#last.add(whole);
  }

  /** Where the resumed stream has to start; remembers what was seen from there on. */
  resumePoint(): Timestamp | undefined {
    this.#seen = new Set();
    this.#nodes = new Map();
    this.#full = this.#last.hasForgotten;
    this.#resumedMs = undefined;
    for (const bytes of this.#last) {
      const { key, node, time } = identify(bytes);
      if (!time) continue;
      this.#seen.add(key);
      const known = this.#nodes.get(node);
      if (!known) this.#nodes.set(node, { oldest: time, last: time, past: false });
      else if (compareTimestamps(time, known.last) > 0) known.last = time;
      else if (compareTimestamps(time, known.oldest) < 0) known.oldest = time;
    }
    const lowest = earliest([...this.#nodes.values()].map(({ last }) => last));
    return lowest && { seconds: lowest.seconds - OVERLAP_S, nanos: lowest.nanos };
  }

  /** Whether it is known of every node what the resumed stream began with. */
  get isDecided(): boolean {
    return [...this.#nodes.values()].every(({ began }) => began !== undefined);
  }

  /** What may be missing between the break and the resumed stream. */
  get gap(): Pick<Gap, 'after' | 'complete'> {
    const nodes = [...this.#nodes.values()];
    const lacking = nodes.filter(({ began }) => began !== 'repeated');
    const after = earliest((lacking.length > 0 ? lacking : nodes).map(({ last }) => last));
    return { after: after && formatTimestamp(after), complete: nodes.length > 0 && lacking.length === 0 };
  }

  /** The messages that are new. After a break they are compared until the stream is well past it. */
  sift(batch: Buffer[], nowMs: number): Buffer[] {
    if (this.#seen.size === 0) return batch;
    this.#resumedMs ??= nowMs;
    const fresh = batch
      .flatMap((whole) => [...framesOf(whole)])
      .filter((framed) => !this.#isRepeated(framed));
    const isPast = [...this.#nodes.values()].every(({ past }) => past);
    if (isPast || nowMs - this.#resumedMs > REPEAT_MS) this.#seen = new Set();
    return fresh;
  }

  #isRepeated(framed: Buffer): boolean {
    const { key, node, time } = identify(withoutHead(framed));
    const known = this.#nodes.get(node);
    if (!known || !time) return false;
    // What came before the oldest that is remembered was seen too, and is forgotten; or it was not asked for.
    const isBefore = (this.#full || !this.hasSince) && compareTimestamps(time, known.oldest) < 0;
    if (this.#seen.has(key) || isBefore) {
      known.began ??= 'repeated';
      return true;
    }
    known.began ??= 'new';
    const { seconds, nanos } = known.last;
    known.past ||= compareTimestamps(time, { seconds: seconds + OVERLAP_S, nanos }) > 0;
    return false;
  }
}

/** What tells a flow from others, its uuid, or all of it where a server sends none; its node and its time. */
function identify(bytes: Buffer): { key: string; node: string; time: Timestamp | undefined } {
  const message = decode('observer.GetFlowsResponse', bytes);
  const { flow } = message;
  return {
    key: flow?.uuid || bytes.toString('latin1'),
    node: message.node_name || flow?.node_name || '',
    time: flow && parseTimestamp(flow.time ?? message.time ?? ''),
  };
}

function earliest(times: readonly Timestamp[]): Timestamp | undefined {
  return times.reduce<Timestamp | undefined>(
    (first, time) => (first && compareTimestamps(first, time) <= 0 ? first : time),
    undefined,
  );
}
