import { messagesOf } from './grpc/frames.ts';

interface Half {
  readonly bytes: Buffer;
  length: number;
}

/** The last messages of a stream: between `mostBytes` and half of it, in memory that is used again and again. */
export class LastMessages {
  readonly #halfBytes: number;
  #older: Half | undefined;
  #newer: Half | undefined;
  #hasForgotten = false;

  constructor(mostBytes: number) {
    this.#halfBytes = mostBytes / 2;
  }

  /** Messages that were added are here no longer. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  /** Adds whole messages behind their heads. What is longer than half of the memory is forgotten at once. */
  add(whole: Buffer): void {
    if (whole.length > this.#halfBytes) {
      this.#hasForgotten = true;
      return;
    }
    let half = this.#newer;
    if (!half || half.length + whole.length > this.#halfBytes) half = this.#turn();
    whole.copy(half.bytes, half.length);
    half.length += whole.length;
  }

  /** The newer half becomes the older one, whose messages are forgotten. */
  #turn(): Half {
    const free = this.#older ?? { bytes: Buffer.allocUnsafeSlow(this.#halfBytes), length: 0 };
    this.#hasForgotten ||= free.length > 0;
    free.length = 0;
    this.#older = this.#newer;
    this.#newer = free;
    return free;
  }

  /** From the oldest on, without their heads. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (const half of [this.#older, this.#newer])
      if (half) yield* messagesOf(half.bytes.subarray(0, half.length));
  }
}
