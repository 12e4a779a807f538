import type { Latency } from '../../../model/traffic.ts';

/** Steps of a doubling: two times in one step differ by less than a tenth. */
const STEPS = 8;
const NS_PER_MS = 1e6;

/** Counts times by their size, in steps that grow with it, so that it stays small and two can be added up. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #mostNs = 0;

  /** Adds a time in nanoseconds. */
  add(ns: number): void {
    this.#mostNs = Math.max(this.#mostNs, ns);
    this.#raise(Math.floor(Math.log2(Math.max(1, ns)) * STEPS), 1);
  }

  /** Adds the times of another. */
  merge(other: Histogram): void {
    for (const [step, count] of other.#counts) this.#raise(step, count);
    this.#mostNs = Math.max(this.#mostNs, other.#mostNs);
  }

  #raise(step: number, count: number): void {
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + count);
    this.#count += count;
  }

  /** Its percentiles; undefined when nothing was added. */
  summary(): Latency | undefined {
    if (this.#count === 0) return undefined;
    const steps = [...this.#counts].sort(([a], [b]) => a - b);
    const at = (share: number) => {
      const rank = Math.ceil(share * this.#count);
      let seen = 0;
      const found = steps.find(([, count]) => {
        seen += count;
        return seen >= rank;
      });
      const ns = found ? 2 ** ((found[0] + 0.5) / STEPS) : this.#mostNs;
      return Math.min(ns, this.#mostNs) / NS_PER_MS;
    };
    return { count: this.#count, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: this.#mostNs / NS_PER_MS };
  }
}
