import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_BYTES,
  frame,
  HEADERS,
  Http2Error,
} from './frames.ts';
import { encodeHeaders, type Headers } from './hpack.ts';
import type { Stream } from './stream.ts';

/** What a side may send before the other one has given it more. */
export const DEFAULT_WINDOW = 65_535;
const LARGEST_WINDOW = 2 ** 31 - 1;
const LARGEST_FRAME = 2 ** 24 - 1;

/** Names of settings. */
export const ENABLE_PUSH = 2;
export const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;

/** Sends requests, as far as the server has room for them. */
export class Outbox {
  #window = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #frameBytes = FRAME_BYTES;

  constructor(
    private readonly streams: ReadonlyMap<number, Stream>,
    private readonly write: (bytes: Buffer) => void,
  ) {}

  /** Sends headers, and behind them `bodies`. */
  begin(id: number, stream: Stream, headers: Headers, bodies: readonly Uint8Array[]): void {
    stream.sendWindow = this.#streamWindow;
    stream.unsent.push(...bodies.filter(({ length }) => length > 0));
    stream.isSending = true;
    this.#sendBlock(id, encodeHeaders(headers));
    this.#send(id, stream);
  }

  #sendBlock(id: number, block: Buffer): void {
    for (let at = 0; at === 0 || at < block.length; at += this.#frameBytes) {
      const part = block.subarray(at, at + this.#frameBytes);
      const isLast = at + part.length >= block.length;
      this.write(frame(at === 0 ? HEADERS : CONTINUATION, isLast ? END_HEADERS : 0, id, part));
    }
  }

  #send(id: number, stream: Stream): void {
    while (stream.isSending) {
      const next = stream.unsent[0];
      if (next === undefined) {
        stream.isSending = false;
        this.write(frame(DATA, END_STREAM, id));
        return;
      }
      const room = Math.min(this.#window, stream.sendWindow, this.#frameBytes);
      if (room <= 0) return;
      const part = next.subarray(0, room);
      this.#window -= part.length;
      stream.sendWindow -= part.length;
      if (part.length === next.length) stream.unsent.shift();
      else stream.unsent[0] = next.subarray(room);
      this.write(frame(DATA, 0, id, part));
    }
  }

  /** The server has more room now. */
  #sendAll(): void {
    for (const [id, stream] of this.streams) this.#send(id, stream);
  }

  /** The server takes so many more bytes of a stream, or of the connection, which is 0. */
  widen(id: number, more: number): void {
    if (more === 0) throw new Http2Error('Protocol error');
    const stream = this.streams.get(id);
    if (id === 0) this.#window += more;
    else if (stream) stream.sendWindow += more;
    checkWindow(id === 0 ? this.#window : (stream?.sendWindow ?? 0));
    this.#sendAll();
  }

  /** Takes settings of the server, by their names. */
  adjust(settings: readonly (readonly [name: number, value: number])[]): void {
    for (const [name, value] of settings) {
      if (name === INITIAL_WINDOW_SIZE) this.#setStreamWindow(value);
      if (name !== MAX_FRAME_SIZE) continue;
      if (value < FRAME_BYTES || value > LARGEST_FRAME) throw new Http2Error('Protocol error');
      this.#frameBytes = value;
    }
    this.#sendAll();
  }

  /** Counts for streams that are open too. */
  #setStreamWindow(bytes: number): void {
    checkWindow(bytes);
    for (const stream of this.streams.values()) {
      stream.sendWindow += bytes - this.#streamWindow;
      checkWindow(stream.sendWindow);
    }
    this.#streamWindow = bytes;
  }
}

function checkWindow(bytes: number): void {
  if (bytes > LARGEST_WINDOW) throw new Http2Error('Flow control error');
}
