/**
 * The last entries of an endless sequence, each a number and a time in nanoseconds. Positions count from 0 for ever;
 * the oldest ones are overwritten.
 */
export class Ring {
  readonly #values: Uint32Array;
  readonly #seconds: Float64Array;
  readonly #nanos: Uint32Array;
  /** Position of the next entry. */
  end = 0;
  readonly #waiting = new Set<() => void>();

  constructor(readonly capacity: number) {
    this.#values = new Uint32Array(capacity);
    this.#seconds = new Float64Array(capacity);
    this.#nanos = new Uint32Array(capacity);
  }

  /** Position of the oldest entry that is still there. */
  get start(): number {
    return Math.max(0, this.end - this.capacity);
  }

  get size(): number {
    return Math.min(this.end, this.capacity);
  }

  /** Adds an entry; returns the value of the one that it overwrote. */
  push(value: number, seconds: number, nanos: number): number | undefined {
    const at = this.end % this.capacity;
    const gone = this.end >= this.capacity ? this.#values[at] : undefined;
    this.#values[at] = value;
    this.#seconds[at] = seconds;
    this.#nanos[at] = nanos;
    this.end++;
    return gone;
  }

  value(position: number): number {
    return this.#values[position % this.capacity] ?? 0;
  }

  seconds(position: number): number {
    return this.#seconds[position % this.capacity] ?? 0;
  }

  nanos(position: number): number {
    return this.#nanos[position % this.capacity] ?? 0;
  }

  /** Tells those who wait that entries came. */
  notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves when an entry at `position` has come, or the signal is aborted. */
  async arrival(position: number, signal: AbortSignal): Promise<void> {
    while (this.end <= position && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }
}
