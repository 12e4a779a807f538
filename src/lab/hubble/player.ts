import type { Flow } from '../../model/hubble.gen.ts';
import { Ring } from './ring.ts';
import { FlowTemplate } from './template.ts';

/** How often flows are added; many at a time when the rate is high. */
const TICK_MS = 20;

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
 * times only. It begins with a full ring, as if it had been running for a while.
 */
export class FlowPlayer {
  readonly ring: Ring;
  readonly templates: FlowTemplate[] = [];
  readonly #numbers = new Map<Flow, number>();
  readonly #dropped = new Map<string, number>();
  readonly #beganMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly source: FlowSource,
    private readonly options: { ratePerSecond: number; ringSize: number; nowMs: () => number },
  ) {
    this.ring = new Ring(options.ringSize);
    this.#beganMs = options.nowMs() - (options.ringSize / options.ratePerSecond) * 1000;
    this.#emitUntil(options.ringSize);
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
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

  /** Dropped flows by reason, since the beginning. */
  get dropped(): ReadonlyMap<string, number> {
    return this.#dropped;
  }

  #tick(): void {
    const elapsed = (this.options.nowMs() - this.#beganMs) / 1000;
    const due = Math.floor(elapsed * this.options.ratePerSecond);
    if (due <= this.ring.end) return;
    this.#emitUntil(due);
    this.ring.notify();
  }

  #emitUntil(end: number): void {
    const step = 1000 / this.options.ratePerSecond;
    while (this.ring.end < end) {
      const ms = this.#beganMs + this.ring.end * step;
      const seconds = Math.floor(ms / 1000);
      const nanos = Math.floor((ms - seconds * 1000) * 1e6);
      const flow = this.source.next();
      const reason = flow.drop_reason_desc;
      if (flow.verdict === 'DROPPED' && reason !== undefined)
        this.#dropped.set(String(reason), (this.#dropped.get(String(reason)) ?? 0) + 1);
      this.ring.push(this.#numberOf(flow), seconds, nanos);
    }
  }

  #numberOf(flow: Flow): number {
    const known = this.#numbers.get(flow);
    if (known !== undefined) return known;
    const number = this.templates.length;
    this.templates.push(new FlowTemplate(flow));
    this.#numbers.set(flow, number);
    return number;
  }
}
