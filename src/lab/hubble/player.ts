import type { Flow } from '../../model/hubble.gen.ts';
import { Ring } from './ring.ts';
import { FlowTemplate } from './template.ts';

/** How often flows are added; many at a time when the rate is high. */
const TICK_MS = 20;
/** A longer pause (a machine that slept) is not made up for. */
const PAUSE_SECONDS = 10;

/** Gives the flows of a lab one by one, for ever. */
export interface FlowSource {
  /** The next flow; its identity (`===`) tells it from others, its time does not matter. */
  next(): Flow;
}

/** A list of flows, again and again. */
export function loopOf(flows: readonly Flow[]): FlowSource {
  let at = 0;
  return {
    next() {
      const flow = flows[at % flows.length];
      at++;
      if (!flow) throw new Error('there are no flows to play');
      return flow;
    },
  };
}

/**
 * Plays flows at a steady rate into a ring. Flows that repeat are encoded once; the ring keeps their numbers and
 * times only, and a flow that the ring has lost is forgotten. It begins with a full ring, as if it had been running for
 * a while.
 */
export class FlowPlayer {
  readonly ring: Ring;
  readonly #templates: (FlowTemplate | undefined)[] = [];
  /** How often each is in the ring. */
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  readonly #numbers = new Map<Flow, number>();
  readonly #dropped = new Map<string, number>();
  #beganMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    /** Absent: nothing is played, and flows are added as they happen. */
    private readonly source: FlowSource | undefined,
    private readonly options: {
      ratePerSecond: number;
      ringSize: number;
      nowMs: () => number;
      /** Hears of every flow. */
      onFlow?: ((flow: Flow) => void) | undefined;
    },
  ) {
    this.ring = new Ring(options.ringSize);
    this.#beganMs = options.nowMs();
    if (!source) return;
    this.#beganMs -= (options.ringSize / options.ratePerSecond) * 1000;
    this.#emitUntil(options.ringSize);
  }

  start(): void {
    if (this.source) this.#timer ??= setInterval(() => this.catchUp(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** When the first flow was, though it may be gone from the ring. */
  get beganMs(): number {
    return this.#beganMs;
  }

  get ratePerSecond(): number {
    return this.options.ratePerSecond;
  }

  /** The flow at a position of the ring. */
  templateAt(position: number): FlowTemplate | undefined {
    return this.#templates[this.ring.value(position)];
  }

  /** Every flow that is in the ring, once. */
  flows(): Iterable<Flow> {
    return this.#numbers.keys();
  }

  /** Dropped flows by reason, since the beginning. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  /** Adds a flow that happened now. */
  add(flow: Flow): void {
    this.#push(flow, this.options.nowMs());
    this.ring.notify();
  }

  /** Adds the flows that are due. */
  catchUp(): void {
    if (!this.source) return;
    const { ratePerSecond, ringSize, nowMs } = this.options;
    const due = Math.floor(((nowMs() - this.#beganMs) / 1000) * ratePerSecond);
    if (due <= this.ring.end) return;
    const most = Math.max(ringSize, PAUSE_SECONDS * ratePerSecond);
    const skipped = Math.max(0, due - this.ring.end - most);
    this.#beganMs += (skipped / ratePerSecond) * 1000;
    this.#emitUntil(due - skipped);
    this.ring.notify();
  }

  #emitUntil(end: number): void {
    const step = 1000 / this.options.ratePerSecond;
    while (this.source && this.ring.end < end)
      this.#push(this.source.next(), this.#beganMs + this.ring.end * step);
  }

  #push(flow: Flow, ms: number): void {
    const seconds = Math.floor(ms / 1000);
    const nanos = Math.floor((ms - seconds * 1000) * 1e6);
    this.options.onFlow?.(flow);
    const reason = flow.drop_reason_desc;
    if (flow.verdict === 'DROPPED' && reason !== undefined)
      this.#dropped.set(String(reason), (this.#dropped.get(String(reason)) ?? 0) + 1);
    const number = this.#numberOf(flow);
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    const gone = this.ring.push(number, seconds, nanos);
    if (gone !== undefined) this.#release(gone);
  }

  #numberOf(flow: Flow): number {
    const known = this.#numbers.get(flow);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#templates.length;
    this.#templates[number] = new FlowTemplate(flow);
    this.#numbers.set(flow, number);
    return number;
  }

  #release(number: number): void {
    const left = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = left;
    const template = this.#templates[number];
    if (left > 0 || !template) return;
    this.#templates[number] = undefined;
    this.#numbers.delete(template.flow);
    this.#free.push(number);
  }
}
