import { TopCounter } from '../../../hubble/views/top.ts';
import type { ResolvedField } from '../../../hubble/where/fields.ts';
import type { Flow } from '../../../model/hubble.gen.ts';

/** Flows that can be scrolled back to. */
export const SCROLLBACK = 5_000;
/** Seconds that the sparklines show. */
const HISTORY_S = 30;

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
  readonly talkers: TopCounter;
  readonly dropped: TopCounter;

  constructor(talkers: readonly ResolvedField[], dropKeys: readonly ResolvedField[]) {
    this.talkers = new TopCounter(talkers, 2_000);
    this.dropped = new TopCounter(dropKeys, 2_000);
  }

  add(flow: Flow, nowMs: number): void {
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

const BARS = '▁▂▃▄▅▆▇█';

/** A row of bars, the highest as high as the highest value. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => BARS[Math.round((value / most) * (BARS.length - 1))] ?? BARS[0]).join('');
}

/** `1234567` as `1.2M`. */
export function short(n: number): string {
  if (n < 10_000) return String(Math.round(n));
  return n < 1e6 ? `${(n / 1e3).toFixed(1)}k` : `${(n / 1e6).toFixed(1)}M`;
}

/** A flow's fields one per line, nested by dots: what the details pane shows. */
export function detailLines(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const plain = value.every((item) => typeof item !== 'object');
    return plain
      ? [`${path}: ${value.join(', ')}`]
      : value.flatMap((item, i) => detailLines(item, `${path}[${i}]`));
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, child]) =>
      detailLines(child, path === '' ? key : `${path}.${key}`),
    );
  return [`${path}: ${String(value)}`];
}
