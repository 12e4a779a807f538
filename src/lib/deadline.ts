/**
 * A signal that is aborted when one of others is, or after a time. Unlike `AbortSignal.timeout` and `any`, which hold
 * all that listens to them until their time is over, it lets go of everything when it is disposed of.
 */
export class Deadline implements Disposable {
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #followed: AbortSignal[];
  #isOver = false;

  /** Without a time, or with 0, it only follows the others. */
  constructor(limitMs: number | undefined, ...signals: (AbortSignal | undefined)[]) {
    this.#followed = signals.filter((signal) => signal !== undefined);
    const ended = this.#followed.find(({ aborted }) => aborted);
    if (ended) {
      this.#stop.abort(ended.reason);
      return;
    }
    for (const signal of this.#followed) signal.addEventListener('abort', this.#follow, { once: true });
    if (!limitMs) return;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#stop.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    }, limitMs);
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Whether the time is over, and nothing else ended it before. */
  get isOver(): boolean {
    return this.#isOver;
  }

  readonly #follow = (event: Event): void => {
    this.#stop.abort((event.target as AbortSignal).reason);
    this[Symbol.dispose]();
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const signal of this.#followed) signal.removeEventListener('abort', this.#follow);
  }
}
