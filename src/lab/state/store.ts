import { writeAtomically } from '../../lib/atomic-file.ts';

interface Waiter {
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * A value that changes only together with its file. `update` resolves when the change is on disk, and `current` never
 * shows a change before that. Changes that come while a write runs share the next one.
 */
export class Store<T> {
  #durable: T;
  #next: T;
  #waiting: Waiter[] = [];
  #writing: Promise<void> | undefined;

  constructor(
    initial: T,
    /** Absent: nothing is kept beyond the process. */
    private readonly file: string | undefined,
    private readonly onChange: (value: T, before: T) => void = () => {},
  ) {
    this.#durable = initial;
    this.#next = initial;
  }

  get current(): T {
    return this.#durable;
  }

  /** Applies a change. What `change` throws is thrown here and changes nothing; the value itself is never mutated. */
  async update(change: (value: T) => T): Promise<T> {
    this.#next = change(this.#next);
    const mine = this.#next;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#writing ??= this.#write();
    });
    return mine;
  }

  /** Resolves when nothing is left to write. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Everything that arrived in this turn of the event loop goes into one write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const value = this.#next;
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        if (this.file !== undefined) await writeAtomically(this.file, JSON.stringify(value));
        const before = this.#durable;
        this.#durable = value;
        this.onChange(value, before);
        for (const waiter of waiting) waiter.resolve();
      } catch (error) {
        // Later changes were made on top of the one that failed: they fail with it.
        const later = this.#waiting;
        this.#waiting = [];
        this.#next = this.#durable;
        for (const waiter of [...waiting, ...later]) waiter.reject(error);
      }
    }
    this.#writing = undefined;
  }
}
