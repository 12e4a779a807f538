import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import { TopCounter, topKeys } from './top.ts';

/** Flows that can be scrolled back to. */
export const SCROLLBACK = 5_000;
/** Seconds that the sparklines show. */
const HISTORY_S = 30;
/** Rows that each ranking keeps. */
const RANKED = 2_000;

/** A flow as the screen holds it. */
export interface Seen {
  flow: Flow;
  /** Ever-growing number, so that a selection survives what arrives meanwhile. */
  serial: number;
  dropped: boolean;
}

type Predicate = (flow: Flow) => boolean;

/**
 * What the live screen knows: a bounded scrollback, rates, rankings. Every flow is counted the moment it arrives,
 * whether a frame shows it or not.
 */
export class LiveState {
  #ring: Seen[] = [];
  #serial = 0;
  #filter: Predicate | undefined;
  #dropsOnly = false;
  #matching: Seen[] = [];
  #paused: Seen[] | undefined;
  /** Flows of each of the last seconds, oldest first; the last one is still counted. */
  readonly flowsPerSecond: number[] = new Array(HISTORY_S).fill(0);
  readonly dropsPerSecond: number[] = new Array(HISTORY_S).fill(0);
  #second = 0;
  total = 0;
  drops = 0;
  lost = 0n;
  /** What went wrong with the stream, until it runs again. */
  notice = '';
  readonly talkers = new TopCounter(topKeys(['src', 'dst', 'port']), RANKED);
  readonly dropped = new TopCounter(topKeys(['reason', 'src', 'dst']), RANKED);

  /** Takes a message of the stream. */
  add({ flow, lost_events: lost, node_status: status }: GetFlowsResponse, nowMs: number): void {
    if (flow) {
      this.notice = '';
      this.#addFlow(flow, nowMs);
    } else if (lost) this.lost += BigInt(lost.num_events_lost ?? 0);
    else if (status?.state_change === 'NODE_ERROR' || status?.state_change === 'NODE_UNAVAILABLE')
      this.notice = `${status.state_change}: ${(status.node_names ?? []).join(', ')} ${status.message ?? ''}`;
  }

  #addFlow(flow: Flow, nowMs: number): void {
    this.tick(nowMs);
    const dropped = flow.verdict === 'DROPPED' || flow.verdict === 'ERROR';
    const seen: Seen = { flow, serial: this.#serial++, dropped };
    this.#push(this.#ring, seen);
    if (this.#passes(seen)) this.#push(this.#matching, seen);
    this.total++;
    const last = HISTORY_S - 1;
    this.flowsPerSecond[last] = (this.flowsPerSecond[last] ?? 0) + 1;
    this.talkers.add(flow, nowMs);
    if (!dropped) return;
    this.drops++;
    this.dropsPerSecond[last] = (this.dropsPerSecond[last] ?? 0) + 1;
    this.dropped.add(flow, nowMs);
  }

  /** Moves the seconds on; called for every flow and every frame. */
  tick(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (this.#second === 0) this.#second = second;
    for (let behind = Math.min(second - this.#second, HISTORY_S); behind > 0; behind--) {
      for (const history of [this.flowsPerSecond, this.dropsPerSecond]) {
        history.shift();
        history.push(0);
      }
    }
    this.#second = Math.max(this.#second, second);
  }

  /** Trims in blocks: shifting one by one would move the whole array for every flow. */
  #push(list: Seen[], seen: Seen): void {
    list.push(seen);
    if (list.length > SCROLLBACK * 1.2) list.splice(0, list.length - SCROLLBACK);
  }

  #passes(seen: Seen): boolean {
    return (!this.#dropsOnly || seen.dropped) && (this.#filter?.(seen.flow) ?? true);
  }

  #refilter(): void {
    this.#matching = this.#ring.filter((seen) => this.#passes(seen));
    if (this.#paused) this.#paused = this.#matching.slice();
  }

  set filter(filter: Predicate | undefined) {
    this.#filter = filter;
    this.#refilter();
  }

  get dropsOnly(): boolean {
    return this.#dropsOnly;
  }

  set dropsOnly(on: boolean) {
    this.#dropsOnly = on;
    this.#refilter();
  }

  get paused(): boolean {
    return this.#paused !== undefined;
  }

  /** Holds the list still; what arrives is counted and shown when it runs again. */
  set paused(on: boolean) {
    this.#paused = on ? this.#matching.slice() : undefined;
  }

  /** Flows that arrived and pass, but that the pause hides. */
  get hidden(): number {
    const newest = this.#paused?.at(-1)?.serial ?? -1;
    if (!this.#paused) return 0;
    let n = 0;
    for (let i = this.#matching.length - 1; i >= 0 && (this.#matching[i]?.serial ?? 0) > newest; i--) n++;
    return n;
  }

  /** The flows to show, oldest first. */
  get visible(): readonly Seen[] {
    return this.#paused ?? this.#matching;
  }

  /** Flows per second over the last five full seconds. */
  get rate(): number {
    const full = this.flowsPerSecond.slice(-6, -1);
    return full.reduce((sum, n) => sum + n, 0) / full.length;
  }
}
