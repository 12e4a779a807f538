import { compareTimestamps, formatTimestamp, parseTimestamp, type Timestamp } from '../lib/timestamp.ts';
import type { Flow, GetFlowsRequest, GetFlowsResponse } from '../model/hubble.gen.ts';
import { RpcError } from './grpc/status.ts';
import { decode } from './protobuf/codec.ts';

/** A break in a stream that was followed, and how it was mended. */
export interface Gap {
  /** Why the stream broke. */
  cause: string;
  /** How long it took until the server answered again. */
  lengthMs: number;
  /** Time of the last flow before the break; undefined when there was none yet. */
  after: string | undefined;
  /** True when the server sent flows again that had been seen: then it still held all that came between. */
  complete: boolean;
}

/** How a stream is followed across breaks. */
export interface FollowOptions {
  /** Attempts in a row; 0 turns it off. */
  maxReconnects: number;
  nowMs: () => number;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  signal: AbortSignal;
  /** Called before each attempt with how often it was tried and how long it waits. */
  onBreak: (cause: string, attempt: number, waitMs: number) => Promise<void>;
  /** Called with the first answer after a break. */
  onResume: (gap: Gap) => Promise<void>;
}

type Stream = (request: GetFlowsRequest) => AsyncIterable<Buffer[]>;

/** Messages remembered for the comparison after a break; they are decoded only then. */
const REMEMBERED = 20_000;
/** What may arrive late at a relay: so far before the last flow the resumed stream starts. */
const OVERLAP_S = 2;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
/** Ends of a stream that are the connection's, not an answer to the request. */
const BREAKS = new Set(['Unavailable', 'Internal', 'Aborted', 'Canceled', 'Unknown', 'DeadlineExceeded']);

/**
 * Follows a stream of flows: when it breaks, connects again with growing pauses, asks for everything since shortly
 * before the last flow, and leaves out what was seen already, by uuid. A stream that the server ends properly stays
 * ended. The first connection is not retried.
 */
export async function* followFlows(
  open: Stream,
  request: GetFlowsRequest,
  options: FollowOptions,
): AsyncGenerator<Buffer[]> {
  const memory = new Memory();
  let asked = request;
  let broke: { cause: string; atMs: number } | undefined;
  for (let attempt = 0; ; ) {
    try {
      for await (const batch of open(asked)) {
        const fresh = memory.sift(batch);
        if (broke) {
          await options.onResume({
            cause: broke.cause,
            lengthMs: options.nowMs() - broke.atMs,
            after: memory.resumedAfter,
            complete: memory.repeated,
          });
          broke = undefined;
          attempt = 0;
        }
        if (fresh.length > 0) yield fresh;
        memory.keep(fresh);
      }
      return;
    } catch (error) {
      if (
        options.signal.aborted ||
        !isBreak(error) ||
        (memory.empty && !broke) ||
        attempt >= options.maxReconnects
      )
        throw error;
      broke ??= { cause: error.message, atMs: options.nowMs() };
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
      attempt++;
      await options.onBreak(error.message, attempt, waitMs);
      await options.sleep(waitMs, options.signal);
      const since = memory.resumePoint();
      const { until: _, ...rest } = request;
      asked = since ? { ...rest, number: '0', since: formatTimestamp(since) } : request;
    }
  }
}

function isBreak(error: unknown): error is RpcError {
  return error instanceof RpcError && BREAKS.has(error.code);
}

/** The last messages of a stream, and after a break what of the new stream was among them. */
class Memory {
  #ring: Buffer[] = [];
  #next = 0;
  #seen: Set<string> | undefined;
  #last: Timestamp | undefined;
  resumedAfter: string | undefined;
  repeated = false;

  get empty(): boolean {
    return this.#ring.length === 0;
  }

  keep(messages: readonly Buffer[]): void {
    for (const message of messages) {
      this.#ring[this.#next] = message;
      this.#next = (this.#next + 1) % REMEMBERED;
    }
  }

  /** Where the resumed stream has to start; remembers what was seen from there on. */
  resumePoint(): Timestamp | undefined {
    const flows: { key: string; time: Timestamp }[] = [];
    for (const bytes of this.#ring) {
      const { flow } = decode('observer.GetFlowsResponse', bytes);
      const time = parseTimestamp(flow?.time ?? '');
      if (time) flows.push({ key: keyOf(flow, bytes), time });
    }
    const last = flows.reduce<Timestamp | undefined>(
      (latest, { time }) => (latest && compareTimestamps(latest, time) >= 0 ? latest : time),
      undefined,
    );
    if (!last) return undefined;
    this.#last = last;
    this.resumedAfter = formatTimestamp(last);
    this.#seen = new Set(flows.map(({ key }) => key));
    this.repeated = false;
    const start = { seconds: last.seconds - OVERLAP_S, nanos: last.nanos };
    const full = this.#ring.length >= REMEMBERED;
    const oldest = flows.reduce(
      (first, { time }) => (compareTimestamps(first, time) <= 0 ? first : time),
      last,
    );
    return full && compareTimestamps(oldest, start) > 0 ? oldest : start;
  }

  /** The messages that are new. After a break they are compared until the stream is well past it. */
  sift(batch: Buffer[]): Buffer[] {
    const seen = this.#seen;
    const last = this.#last;
    if (!seen || !last) return batch;
    const horizon = { seconds: last.seconds + OVERLAP_S, nanos: last.nanos };
    let past = false;
    const fresh = batch.filter((bytes) => {
      const { flow }: GetFlowsResponse = decode('observer.GetFlowsResponse', bytes);
      const time = parseTimestamp(flow?.time ?? '');
      if (time && compareTimestamps(time, horizon) > 0) past = true;
      if (!flow || !seen.has(keyOf(flow, bytes))) return true;
      this.repeated = true;
      return false;
    });
    if (past) this.#seen = undefined;
    return fresh;
  }
}

/** What tells a flow from others: its uuid, or all of it where a server sends none. */
function keyOf(flow: Flow | undefined, bytes: Buffer): string {
  return flow?.uuid || bytes.toString('latin1');
}
