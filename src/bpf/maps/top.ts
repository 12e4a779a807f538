/** How often a key was seen. */
export interface TopEntry {
  key: string;
  count: number;
}

const MAX_KEYS = 100_000;

/**
 * Counts keys and tells the most frequent ones. Memory is bounded: with more than a hundred thousand different keys
 * the rarest are given up, and counts may be too small by `error`.
 */
export class TopCounter {
  #counts = new Map<string, number>();
  #error = 0;
  #total = 0;

  add(key: string): void {
    this.#total++;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (this.#counts.size > MAX_KEYS) this.#shrink();
  }

  /** Takes the same off every key until half of them are gone (Misra and Gries). */
  #shrink(): void {
    while (this.#counts.size > MAX_KEYS / 2) {
      const least = leastOf(this.#counts.values());
      this.#error += least;
      for (const [key, count] of this.#counts) {
        if (count <= least) this.#counts.delete(key);
        else this.#counts.set(key, count - least);
      }
    }
  }

  get total(): number {
    return this.#total;
  }

  /** By how much a count may be too small. */
  get error(): number {
    return this.#error;
  }

  top(n: number): TopEntry[] {
    return [...this.#counts]
      .map(([key, count]) => ({ key, count }))
      .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
      .slice(0, n);
  }
}

function leastOf(counts: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const count of counts) least = Math.min(least, count);
  return least;
}
