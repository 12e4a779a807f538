import { compareTimestamps, type Timestamp } from '../lib/timestamp.ts';
import { isNodeNews, timeOfAnswer } from './answer-time.ts';
import { framesOf } from './grpc/frames.ts';

/** How streams of flows are merged. */
export interface MergeOptions {
  /** They go on with what comes: no flow waits longer than a moment for one of another stream that may be older. */
  follow: boolean;
  /** They begin with what was, whose order is worth a longer wait for the first answer of each. */
  past: boolean;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called with the place of a stream that failed. The others go on, unless it throws. */
  onFailure: (stream: number, error: unknown) => Promise<void>;
}

/** Opens a stream of answers behind their heads, which are overwritten when the next ones are asked for, until the signal ends it. */
export type OpenStream = (signal: AbortSignal) => AsyncIterable<Buffer[]>;

/** A flow that is followed waits for two turns of this clock: half a second to a second. */
const TICK_MS = 500;
const WAIT_TICKS = 2;
/** Where the past is asked for, it is waited so long for the first answer of each stream, */
const OPENING_TICKS = 10;
/** and so long for one that is still sending what was, before its clock is taken to be behind. */
const CATCH_UP_TICKS = 20;
/** What is held of a stream that is followed before it is read on: so much a second of it passes while others are quiet. */
const MOST_HELD_BYTES = 8 * 1024 * 1024;
/** What an answer takes beside its bytes while it waits. */
const HELD_BYTES = 200;
/** Where nothing is followed, and a flow is so much later than what the others have, its stream is read on by so much: */
const FAR_S = 60;
/** what follows it may be earlier, and then it is of a clock that is wrong. */
const AHEAD_BYTES = 256 * 1024;

/**
 * The answers of several streams as one, in the order of the times of their flows; of the same time, that of the earlier stream is
 * first. Each stream is taken to be in order: a flow that it sends late comes as early as it can, and one whose time is ahead of
 * those that follow it, as of a node whose clock is wrong, holds them back no longer than these are due themselves. Lost events
 * stand where their stream had them, and news of nodes pass at once. Yields messages one by one behind their heads, in memory of their own.
 */
export async function* mergeFlows(
  streams: readonly OpenStream[],
  { follow, past, sleep, onFailure }: MergeOptions,
): AsyncGenerator<Buffer[]> {
  const stop = new AbortController();
  let wake = () => {};
  let tick = 0;
  let isTicking = false;
  let openTick = past ? undefined : 0;
  let mostTicks = past ? CATCH_UP_TICKS : WAIT_TICKS;
  const lanes = streams.map((open) => new Lane(open(stop.signal)));
  const mostBytes = (lane: Lane, first: Lane | undefined) =>
    follow ? MOST_HELD_BYTES : lane.isFarBehind(first) ? AHEAD_BYTES : 1;
  const startTick = () => {
    isTicking = true;
    sleep(TICK_MS, stop.signal).then(
      () => {
        tick++;
        isTicking = false;
        wake();
      },
      () => {},
    );
  };
  const next = (): Lane | undefined => {
    const first = earliest(lanes);
    const isKnown = (lane: Lane) =>
      lane.isDone || (lane.head && (follow || lane.bytes >= mostBytes(lane, first)));
    if (!first || lanes.every(isKnown)) return first;
    if (!follow || openTick === undefined) return undefined;
    const since = Math.max(openTick, first.head?.tick ?? tick);
    const isPatient = tick - since < mostTicks;
    if (!isPatient) mostTicks = WAIT_TICKS;
    const quiet = lanes.filter((lane) => !lane.isDone && !lane.head).map(({ readTick }) => readTick);
    return !isPatient || tick - Math.max(since, ...quiet) >= WAIT_TICKS ? first : undefined;
  };
  try {
    for (;;) {
      const first = earliest(lanes);
      for (const lane of lanes)
        if (lane.wants(mostBytes(lane, first))) lane.read(() => tick).then(() => wake());
      let hasFailed = false;
      for (const [i, lane] of lanes.entries()) {
        const failure = lane.takeFailure();
        if (!failure) continue;
        hasFailed = true;
        await onFailure(i, failure.error);
      }
      // What has come meanwhile wakes nobody, and its stream may be read on.
      if (hasFailed) continue;
      if (lanes.every(({ isOpen }) => isOpen) || tick >= OPENING_TICKS) openTick ??= tick;
      const ready = lanes.flatMap((lane) => lane.takeNews());
      for (let lane = next(); lane; lane = next()) ready.push(lane.take());
      if (ready.length > 0) {
        yield ready;
        continue;
      }
      if (lanes.every(({ isDone }) => isDone)) return;
      if (follow && !isTicking && lanes.some(({ head }) => head)) startTick();
      // Not a race of what is awaited: a stream that is quiet for hours would gather what waits for it.
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.close()));
  }
}

/** An answer that waits for its turn. */
interface Held {
  framed: Buffer;
  /** Undefined where it is no flow. */
  time: Timestamp | undefined;
  /** When it came. */
  tick: number;
}

/** The lane whose first answer is the earliest. */
function earliest(lanes: readonly Lane[]): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    if (!lane.head) continue;
    if (!first || isBefore(lane.due, first.due)) first = lane;
  }
  return first;
}

function isBefore(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  return b !== undefined && (a === undefined || compareTimestamps(a, b) < 0);
}

/** One stream, and what was read of it and waits. */
class Lane {
  readonly #stream: AsyncIterator<Buffer[]>;
  #held: Held[] = [];
  #at = 0;
  #news: Buffer[] = [];
  /** The latest time at which something was due that has been taken. */
  #past: Timestamp | undefined;
  /** Of what waits and is not late: what is before all that came after it, by its place in the stream. The first one is due next. */
  #lows: { time: Timestamp; place: number }[] = [];
  #lowAt = 0;
  #taken = 0;
  #isReading = false;
  #failure: { error: unknown } | undefined;
  /** Bytes that wait. */
  bytes = 0;
  /** When it was last asked for more. */
  readTick = 0;
  /** It has answered, or has ended. */
  isOpen = false;
  /** Nothing more is read of it. */
  isDone = false;

  constructor(stream: AsyncIterable<Buffer[]>) {
    this.#stream = stream[Symbol.asyncIterator]();
  }

  get head(): Held | undefined {
    return this.#held[this.#at];
  }

  /** The time at which the first answer has its turn: that of the earliest behind it, unless that one is late. */
  get due(): Timestamp | undefined {
    const time = this.head?.time;
    if (time === undefined) return this.#past;
    return isBefore(time, this.#past) ? time : (this.#lows[this.#lowAt]?.time ?? time);
  }

  /** Whether what is due here is much later than what is due there. */
  isFarBehind(other: Lane | undefined): boolean {
    const [here, there] = [this.due, other?.due];
    return here !== undefined && there !== undefined && here.seconds - there.seconds > FAR_S;
  }

  wants(mostBytes: number): boolean {
    return !this.isDone && !this.#isReading && this.bytes < mostBytes;
  }

  /** Reads on. A failure is kept for `takeFailure`. */
  async read(tick: () => number): Promise<void> {
    this.#isReading = true;
    this.readTick = tick();
    try {
      const { done, value } = await this.#stream.next();
      if (done) this.isDone = true;
      else this.#hold(value, tick());
    } catch (error) {
      this.isDone = true;
      this.#failure = { error };
    }
    this.isOpen = true;
    this.#isReading = false;
  }

  #hold(batch: readonly Buffer[], tick: number): void {
    for (const whole of batch) {
      for (const framed of framesOf(Buffer.from(whole))) {
        if (isNodeNews(framed)) {
          this.#news.push(framed);
          continue;
        }
        const time = timeOfAnswer(framed);
        if (time && !isBefore(time, this.#past)) this.#expect(time);
        this.#held.push({ framed, time, tick });
        this.bytes += framed.length + HELD_BYTES;
      }
    }
  }

  /** Notes when what is held next is due: those before it that are later no longer say so, unless it is the one to be doubted. */
  #expect(time: Timestamp): void {
    const lows = this.#lows;
    let from = lows.length;
    while (from > this.#lowAt && isBefore(time, lows[from - 1]?.time)) from--;
    const doubted = lows.length - from;
    // At the start nothing has been taken that it could be compared with.
    if (this.#past === undefined && doubted > 1 && 2 * doubted > lows.length) return;
    lows.length = from;
    lows.push({ time, place: this.#taken + this.#held.length - this.#at });
  }

  takeFailure(): { error: unknown } | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  takeNews(): Buffer[] {
    return this.#news.splice(0);
  }

  /** Takes the first answer, which there is. */
  take(): Buffer {
    const { due } = this;
    if (this.#past === undefined || isBefore(this.#past, due)) this.#past = due;
    if (this.#lows[this.#lowAt]?.place === this.#taken++) this.#lowAt++;
    const framed = this.#held[this.#at++]?.framed ?? Buffer.alloc(0);
    this.bytes -= framed.length + HELD_BYTES;
    if (this.#at === this.#held.length || this.#at > 4096) {
      this.#held = this.#held.slice(this.#at);
      this.#lows = this.#lows.slice(this.#lowAt);
      this.#at = this.#lowAt = 0;
    }
    return framed;
  }

  async close(): Promise<void> {
    await this.#stream.return?.();
  }
}
