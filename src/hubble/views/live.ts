import type { Flow, GetFlowsResponse } from '../../model/hubble.gen.ts';
import type { Traffic } from '../../model/traffic.ts';
import { TopCounter, topKeys } from './top.ts';
import { TrafficCounter, timeMsOf } from './traffic/counter.ts';

/** Flows that can be scrolled back to. */
export const SCROLLBACK = 5_000;
/** Seconds that the sparklines show. */
const HISTORY_S = 30;
/** Rows that each ranking keeps. */
const RANKED = 2_000;
/** What is kept of who talks to whom, and what of it is shown, as `hubble map` does. */
const KEPT = { nodes: 1_000, edges: 3_000, examples: 500 };
const SHOWN = { nodes: 300, edges: 1_200 };
/** How often that is made anew: less often where most of it has to be folded first, so that keys are not waited for. */
const TRAFFIC_MS = 1_000;
const FOLDED_TRAFFIC_MS = 4_000;

/** A flow as the screen holds it. */
export interface Seen {
  flow: Flow;
  /** Ever-growing number, so that a selection survives what arrives meanwhile. */
  serial: number;
  dropped: boolean;
  /** When it was seen, in milliseconds since the epoch; undefined where it has no time. */
  timeMs: number | undefined;
}

/** A part of the time, in milliseconds since the epoch; its end is not in it. */
export interface TimeWindow {
  fromMs: number;
  toMs: number;
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
  #window: TimeWindow | undefined;
  #dropsOnly = false;
  #matching: Seen[] = [];
  #paused: Seen[] | undefined;
  /** Flows of each of the last seconds, oldest first; the last one is still counted. */
  readonly flowsPerSecond: number[] = new Array(HISTORY_S).fill(0);
  readonly dropsPerSecond: number[] = new Array(HISTORY_S).fill(0);
  #nowMs = 0;
  #second = 0;
  readonly #counter = new TrafficCounter(KEPT);
  #traffic: { taken: Traffic; atMs: number } | undefined;
  total = 0;
  drops = 0;
  lost = 0n;
  /** What went wrong with the stream, until it runs again. */
  notice = '';
  /** The server does not answer: why, how often it was tried, and when it is tried again. */
  gone: { cause: string; attempt: number; nextMs: number } | undefined;
  /** Nothing comes any more. */
  ended = false;
  readonly talkers = new TopCounter(topKeys(['src', 'dst', 'port']), RANKED);
  readonly dropped = new TopCounter(topKeys(['reason', 'src', 'dst']), RANKED);

  /** Takes a message of the stream. */
  add({ flow, lost_events: lost, node_status: status }: GetFlowsResponse, nowMs: number): void {
    if (flow) {
      this.notice = '';
      this.gone = undefined;
      this.#addFlow(flow, nowMs);
    } else if (lost) {
      this.lost += BigInt(lost.num_events_lost ?? 0);
      this.#counter.addLost(Number(lost.num_events_lost ?? 0));
    } else if (status?.state_change === 'NODE_ERROR' || status?.state_change === 'NODE_UNAVAILABLE')
      this.notice = `${status.state_change}: ${(status.node_names ?? []).join(', ')} ${status.message ?? ''}`;
  }

  #addFlow(flow: Flow, nowMs: number): void {
    this.tick(nowMs);
    const dropped = flow.verdict === 'DROPPED' || flow.verdict === 'ERROR';
    const timeMs = timeMsOf(flow);
    const seen: Seen = { flow, serial: this.#serial++, dropped, timeMs };
    this.#counter.add(flow, timeMs);
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
    this.#nowMs = nowMs;
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
    if (this.#dropsOnly && !seen.dropped) return false;
    const { timeMs = Number.NaN } = seen;
    if (this.#window && !(timeMs >= this.#window.fromMs && timeMs < this.#window.toMs)) return false;
    return this.#filter?.(seen.flow) ?? true;
  }

  #refilter(): void {
    this.#matching = this.#ring.filter((seen) => this.#passes(seen));
    if (this.#paused) this.#paused = this.#matching.slice();
  }

  set filter(filter: Predicate | undefined) {
    this.#filter = filter;
    this.#refilter();
  }

  /** The part of the time that is looked at. */
  get window(): TimeWindow | undefined {
    return this.#window;
  }

  set window(window: TimeWindow | undefined) {
    this.#window = window;
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
    if (on) this.#takeTraffic();
  }

  /** Flows that arrived and pass, but that the pause hides. */
  get hidden(): number {
    return this.#paused ? this.newerThan(this.#paused.at(-1)?.serial ?? -1) : 0;
  }

  /** Flows that pass and came after the one of that number. */
  newerThan(serial: number): number {
    let n = 0;
    for (let i = this.#matching.length - 1; i >= 0 && (this.#matching[i]?.serial ?? 0) > serial; i--) n++;
    return n;
  }

  /** The flows to show, oldest first. */
  get visible(): readonly Seen[] {
    return this.#paused ?? this.#matching;
  }

  /** Who talks to whom, of all flows, as it was a moment ago; a pause holds it still. */
  get traffic(): Traffic {
    const known = this.#traffic;
    if (!known) return this.#takeTraffic();
    const isFolded = known.taken.nodes.some(({ kind }) => kind === 'others');
    const isNew = this.#nowMs - known.atMs < (isFolded ? FOLDED_TRAFFIC_MS : TRAFFIC_MS);
    const isSame = known.taken.flows === this.#counter.flows;
    return isNew || isSame || this.paused ? known.taken : this.#takeTraffic();
  }

  #takeTraffic(): Traffic {
    const taken = this.#counter.snapshot(SHOWN);
    this.#traffic = { taken, atMs: this.#nowMs };
    this.#widenWindow(taken.timeline.widthMs);
    return taken;
  }

  /** Pieces of time become longer: the window has whole ones, so that all that is shown of it is of the same time. */
  #widenWindow(pieceMs: number): void {
    if (!this.#window) return;
    const { fromMs, toMs } = this.#window;
    const wider = {
      fromMs: Math.floor(fromMs / pieceMs) * pieceMs,
      toMs: Math.ceil(toMs / pieceMs) * pieceMs,
    };
    if (wider.fromMs !== fromMs || wider.toMs !== toMs) this.window = wider;
  }

  /** Has what was counted until now shown, for who looks at it from now on. */
  freshen(): void {
    if (!this.paused) this.#traffic = undefined;
  }

  /** Flows per second over the last five full seconds. */
  get rate(): number {
    const full = this.flowsPerSecond.slice(-6, -1);
    return full.reduce((sum, n) => sum + n, 0) / full.length;
  }
}
