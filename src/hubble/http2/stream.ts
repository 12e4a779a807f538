import { errorName } from './frames.ts';
import type { Headers } from './hpack.ts';

/** The server ended a stream. `reason` is the name of an error of HTTP/2. */
export class StreamReset extends Error {
  override name = 'StreamReset';
  readonly reason: string;

  constructor(code: number) {
    const reason = errorName(code);
    super(`the stream was reset: ${reason}`);
    this.reason = reason;
  }
}

/** What an answer of the server consists of. Read `chunks` to its end, or `close` it. */
export interface Http2Stream {
  /**
   * What the bodies of frames hold, all that came since the last one was asked for; that one is overwritten then. Rejects with
   * what ended it early.
   */
  readonly chunks: AsyncIterable<Buffer>;
  /** The headers of the answer, once they are there. */
  readonly headers: Headers | undefined;
  /** The headers behind the body, once they are there. */
  readonly trailers: Headers | undefined;
  /** Tells the server that nothing more is wanted. */
  close(): void;
  /** As `close`; whoever waits for `chunks` gets the reason. */
  abort(reason: unknown): void;
}

/** How much is put aside at first. */
const UNREAD_BYTES = 64 * 1024;

/** One request and its answer, as the connection sees them. */
export class Stream implements Http2Stream {
  headers: Headers | undefined;
  trailers: Headers | undefined;
  readonly unsent: Uint8Array[] = [];
  isSending = false;
  /** Bytes that may be sent. */
  sendWindow = 0;
  /** Bytes that were read, and not yet given back to the server. */
  taken = 0;
  unreadBytes = 0;
  /** One is filled while the other one is read. */
  #filling: Buffer = Buffer.alloc(0);
  #reading: Buffer = Buffer.alloc(0);
  #isOver = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(
    /** Bytes that the server may send. */
    public window: number,
    private readonly onTaken: (bytes: number) => void,
    private readonly onClose: () => void,
    private readonly onHeaders: (headers: Headers) => void,
  ) {}

  /** Takes headers; says whether they bring anything. */
  take(headers: Headers): boolean {
    // What comes before the headers of the answer is about the way to it.
    if (!this.headers && /^1\d\d$/.test(headers[':status'] ?? '')) return false;
    if (this.headers) this.trailers = headers;
    else {
      this.headers = headers;
      this.onHeaders(headers);
    }
    return true;
  }

  /** Takes what `chunk` has from `start` to `end`. */
  push(chunk: Buffer, start: number, end: number): void {
    if (end === start) return;
    const needed = this.unreadBytes + end - start;
    if (needed > this.#filling.length) this.#grow(needed);
    chunk.copy(this.#filling, this.unreadBytes, start, end);
    this.unreadBytes = needed;
    this.#goOn();
  }

  #grow(needed: number): void {
    let length = Math.max(this.#filling.length, UNREAD_BYTES);
    while (length < needed) length *= 2;
    const larger = Buffer.allocUnsafeSlow(length);
    this.#filling.copy(larger, 0, 0, this.unreadBytes);
    this.#filling = larger;
  }

  end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#goOn();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onClose();
  }

  abort(reason: unknown): void {
    this.#error ??= reason;
    this.close();
    this.#goOn();
  }

  #goOn(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  get chunks(): AsyncIterable<Buffer> {
    return this.#chunks();
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      while (this.unreadBytes > 0) yield this.#takeUnread();
      if (this.#error !== undefined) throw this.#error;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #takeUnread(): Buffer {
    const bytes = this.#filling.subarray(0, this.unreadBytes);
    [this.#filling, this.#reading] = [this.#reading, this.#filling];
    this.unreadBytes = 0;
    this.onTaken(bytes.length);
    return bytes;
  }
}
