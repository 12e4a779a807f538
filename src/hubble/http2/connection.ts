import type { Duplex } from 'node:stream';
import { encodeHeaders, HeaderDecoder, type Headers } from './hpack.ts';

/** Names of the codes of errors, by number (RFC 9113, 7). */
const ERRORS = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;
const CANCEL = 8;

/** The server ended a stream. `reason` is the name of an error of HTTP/2. */
export class StreamReset extends Error {
  override name = 'StreamReset';
  constructor(readonly reason: string) {
    super(`the stream was reset: ${reason}`);
  }
}

/** The far end does not keep to HTTP/2. */
export class Http2Error extends Error {
  override name = 'Http2Error';
}

/** Types of frames. */
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PUSH_PROMISE = 5;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;

const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 0x20;

const ENABLE_PUSH = 2;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;

const HEAD_BYTES = 9;
/** The largest frame that is taken, and sent, unless something else was agreed on. */
const FRAME_BYTES = 16_384;
/** Header blocks that do not end take no more. */
const MOST_BLOCK_BYTES = 512 * 1024;
/** Requests are far shorter. */
const MOST_UNSENT_BYTES = 16 * 1024 * 1024;
const DEFAULT_WINDOW = 65_535;
const GREETING = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What an answer of the server consists of. Read `chunks` to its end, or `close` it. */
export interface Http2Stream {
  /** What the bodies of frames hold, all that one read of the socket brought at a time. Rejects with what ended it early. */
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

/**
 * The client's end of an HTTP/2 connection (RFC 9113), as much of it as gRPC needs: nothing is pushed, no priorities.
 * Why not node:http2: docs/decisions/http2.md.
 */
export class Http2Connection {
  readonly #streams = new Map<number, Stream>();
  readonly #decoder = new HeaderDecoder();
  #nextId = 1;
  #head: Buffer = Buffer.alloc(0);
  /** The frame that is being read: what is left of a body, or the parts of another one. */
  #frame:
    | { type: number; flags: number; id: number; left: number; parts: Buffer[]; padding: number }
    | undefined;
  #block: { id: number; flags: number; parts: Buffer[]; size: number } | undefined;
  #sendWindow = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  #frameBytes = FRAME_BYTES;
  #taken = 0;
  #ended: Error | undefined;
  #greeted: (() => void) | undefined;
  readonly #onEnd: ((error: Error) => void)[] = [];

  private constructor(
    private readonly socket: Duplex,
    private readonly windowBytes: number,
  ) {
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end(new Http2Error('EOF')));
    socket.on('close', () => this.#end(new Http2Error('EOF')));
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(ENABLE_PUSH, 0);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 6);
    settings.writeUInt32BE(windowBytes, 8);
    socket.write(
      Buffer.concat([
        GREETING,
        frame(SETTINGS, 0, 0, settings),
        frame(WINDOW_UPDATE, 0, 0, uint32(windowBytes - DEFAULT_WINDOW)),
      ]),
    );
  }

  /**
   * Greets the server over a connection that stands; resolves once it has greeted back. Streams may run `windowBytes` ahead
   * of their readers. Rejects with what ended the connection.
   */
  static greet(socket: Duplex, windowBytes: number, timeoutMs: number): Promise<Http2Connection> {
    return new Promise((resolve, reject) => {
      const connection = new Http2Connection(socket, windowBytes);
      const timer = setTimeout(
        () => connection.#end(new Http2Error('no answer to the HTTP/2 greeting')),
        timeoutMs,
      );
      connection.#onEnd.push((error) => {
        clearTimeout(timer);
        reject(error);
      });
      connection.#greeted = () => {
        clearTimeout(timer);
        resolve(connection);
      };
      if (socket.destroyed) connection.#end(new Http2Error('EOF'));
    });
  }

  /** Whether the connection is over. */
  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Sends a request whose body is `bodies`. */
  request(
    headers: Headers,
    bodies: readonly Uint8Array[],
    onHeaders: (headers: Headers) => void,
  ): Http2Stream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new Stream(
      (bytes) => this.#took(id, bytes),
      () => this.#abandon(id),
      onHeaders,
    );
    if (this.#ended) {
      stream.end(this.#ended);
      return stream;
    }
    stream.sendWindow = this.#streamWindow;
    this.#streams.set(id, stream);
    this.#sendBlock(id, encodeHeaders(headers));
    stream.unsent.push(...bodies.filter(({ length }) => length > 0));
    stream.isSending = true;
    this.#send(id, stream);
    return stream;
  }

  /** Ends the connection and all its streams. */
  destroy(): void {
    this.#end(new Http2Error('the connection was closed'));
  }

  #sendBlock(id: number, block: Buffer): void {
    for (let at = 0; at === 0 || at < block.length; at += this.#frameBytes) {
      const part = block.subarray(at, at + this.#frameBytes);
      const isLast = at + part.length >= block.length;
      this.socket.write(frame(at === 0 ? HEADERS : CONTINUATION, isLast ? END_HEADERS : 0, id, part));
    }
  }

  /** Sends as much of a request as the server has room for. */
  #send(id: number, stream: Stream): void {
    while (stream.isSending) {
      const next = stream.unsent[0];
      if (next === undefined) {
        stream.isSending = false;
        this.socket.write(frame(DATA, END_STREAM, id, EMPTY));
        return;
      }
      const room = Math.min(this.#sendWindow, stream.sendWindow, this.#frameBytes);
      if (room <= 0) return;
      const part = next.subarray(0, room);
      this.#sendWindow -= part.length;
      stream.sendWindow -= part.length;
      if (part.length === next.length) stream.unsent.shift();
      else stream.unsent[0] = next.subarray(room);
      this.socket.write(frame(DATA, 0, id, part));
    }
  }

  #sendAll(): void {
    for (const [id, stream] of this.#streams) this.#send(id, stream);
  }

  /** A reader took so many bytes: the server may send as many more, said in large steps. */
  #took(id: number, bytes: number): void {
    if (this.#ended) return;
    this.#taken += bytes;
    const step = this.windowBytes / 2;
    const updates: Buffer[] = [];
    if (this.#taken >= step) {
      updates.push(frame(WINDOW_UPDATE, 0, 0, uint32(this.#taken)));
      this.#taken = 0;
    }
    const stream = this.#streams.get(id);
    if (stream) {
      stream.taken += bytes;
      if (stream.taken >= step) {
        updates.push(frame(WINDOW_UPDATE, 0, id, uint32(stream.taken)));
        stream.taken = 0;
      }
    }
    if (updates.length > 0) this.socket.write(Buffer.concat(updates));
  }

  #abandon(id: number): void {
    const stream = this.#streams.get(id);
    if (!stream || !this.#streams.delete(id) || this.#ended) return;
    // What lies here unread counts as taken: other streams of the connection go on.
    this.#took(id, stream.unreadBytes);
    this.socket.write(frame(RST_STREAM, 0, id, uint32(CANCEL)));
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    for (const stream of this.#streams.values()) stream.end(error);
    this.#streams.clear();
    for (const ended of this.#onEnd) ended(error);
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length && !this.#ended; ) at = this.#step(chunk, at);
      // Pings and settings that are to be answered, of a server that does not read the answers.
      if (this.socket.writableLength > MOST_UNSENT_BYTES) throw new Http2Error('the server does not read');
    } catch (error) {
      this.#end(error instanceof Error ? error : new Http2Error(String(error)));
    }
  }

  /** Reads the head of a frame, or a part of its body; returns how far it came. */
  #step(chunk: Buffer, at: number): number {
    if (!this.#frame) {
      const missing = HEAD_BYTES - this.#head.length;
      const part = chunk.subarray(at, at + missing);
      this.#head = this.#head.length === 0 ? part : Buffer.concat([this.#head, part]);
      if (part.length === missing) this.#open(this.#head);
      return at + part.length;
    }
    const { type, id } = this.#frame;
    const part = chunk.subarray(at, at + this.#frame.left);
    this.#frame.left -= part.length;
    if (type === DATA && this.#frame.padding === 0) this.#data(id, part);
    else this.#frame.parts.push(part);
    if (this.#frame.left === 0) this.#close();
    return at + part.length;
  }

  #data(id: number, bytes: Buffer): void {
    const stream = this.#streams.get(id);
    if (!stream) {
      // Of one that was closed here: others of the connection go on.
      this.#took(id, bytes.length);
      return;
    }
    stream.push(bytes);
    // What was allowed lies here, and what was given back is on its way: more than twice is nobody's mistake.
    if (stream.unreadBytes > 2 * this.windowBytes) throw new Http2Error('Flow control error');
  }

  #open(head: Buffer): void {
    const left = head.readUIntBE(0, 3);
    const type = head.readUInt8(3);
    const flags = head.readUInt8(4);
    const id = head.readUInt32BE(5) & 0x7fff_ffff;
    this.#head = EMPTY;
    if (this.#greeted && type !== SETTINGS) throw new Http2Error('Protocol error');
    if (left > FRAME_BYTES) throw new Http2Error('frame too large');
    if (this.#block && (type !== CONTINUATION || id !== this.#block.id))
      throw new Http2Error('Protocol error');
    this.#frame = { type, flags, id, left, parts: [], padding: type === DATA && flags & PADDED ? 1 : 0 };
    if (left === 0) this.#close();
  }

  /** A frame is complete. */
  #close(): void {
    const { type, flags, id, parts } = this.#frame ?? { type: 0, flags: 0, id: 0, parts: [] };
    this.#frame = undefined;
    const body = parts.length === 1 ? (parts[0] ?? EMPTY) : Buffer.concat(parts);
    switch (type) {
      case DATA:
        // Padding counts as well.
        if (flags & PADDED) {
          const text = withoutPadding(body);
          this.#data(id, text);
          this.#took(id, body.length - text.length);
        }
        if (flags & END_STREAM) this.#finish(id);
        return;
      case HEADERS: {
        const padded = flags & PADDED ? withoutPadding(body) : body;
        this.#addBlock(id, flags, flags & PRIORITY ? padded.subarray(5) : padded);
        return;
      }
      case CONTINUATION:
        if (!this.#block) throw new Http2Error('Protocol error');
        this.#addBlock(id, flags, body);
        return;
      case RST_STREAM: {
        const code = body.length === 4 ? body.readUInt32BE(0) : 0;
        const stream = this.#streams.get(id);
        this.#streams.delete(id);
        // A server that has said all of its answer may lose interest in the rest of the request.
        if (stream && code === 0 && stream.trailers) stream.end();
        else stream?.end(new StreamReset(ERRORS[code] ?? String(code)));
        return;
      }
      case SETTINGS:
        this.#settings(flags, body);
        return;
      case PING:
        if (!(flags & ACK)) this.socket.write(frame(PING, ACK, 0, body));
        return;
      case GOAWAY: {
        const last = body.length >= 8 ? body.readUInt32BE(0) & 0x7fff_ffff : 0;
        const code = body.length >= 8 ? body.readUInt32BE(4) : 0;
        for (const [own, stream] of this.#streams) {
          if (own <= last) continue;
          this.#streams.delete(own);
          stream.end(new StreamReset(code === 0 ? 'REFUSED_STREAM' : (ERRORS[code] ?? String(code))));
        }
        return;
      }
      case WINDOW_UPDATE: {
        const more = body.length === 4 ? body.readUInt32BE(0) & 0x7fff_ffff : 0;
        const stream = this.#streams.get(id);
        if (id === 0) this.#sendWindow += more;
        else if (stream) stream.sendWindow += more;
        this.#sendAll();
        return;
      }
      case PUSH_PROMISE:
        throw new Http2Error('Protocol error');
    }
  }

  #addBlock(id: number, flags: number, part: Buffer): void {
    this.#block ??= { id, flags, parts: [], size: 0 };
    this.#block.parts.push(part);
    // Empty ones take room as well.
    this.#block.size += part.length + HEAD_BYTES;
    if (this.#block.size > MOST_BLOCK_BYTES) throw new Http2Error('the headers are too large');
    if (!(flags & END_HEADERS)) return;
    const block = this.#block;
    this.#block = undefined;
    // Also those of a stream that nobody reads any longer: the next ones may refer to them.
    const headers = this.#decoder.decode(Buffer.concat(block.parts));
    this.#streams.get(id)?.take(headers);
    if (block.flags & END_STREAM) this.#finish(id);
  }

  #finish(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    if (stream?.isSending) this.socket.write(frame(RST_STREAM, 0, id, uint32(CANCEL)));
    stream?.end();
  }

  #settings(flags: number, body: Buffer): void {
    if (flags & ACK) return;
    for (let at = 0; at + 6 <= body.length; at += 6) {
      const value = body.readUInt32BE(at + 2);
      switch (body.readUInt16BE(at)) {
        case INITIAL_WINDOW_SIZE:
          for (const stream of this.#streams.values()) stream.sendWindow += value - this.#streamWindow;
          this.#streamWindow = value;
          break;
        case MAX_FRAME_SIZE:
          this.#frameBytes = Math.max(FRAME_BYTES, Math.min(value, 2 ** 24 - 1));
      }
    }
    this.socket.write(frame(SETTINGS, ACK, 0, EMPTY));
    this.#greeted?.();
    this.#greeted = undefined;
    this.#sendAll();
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

function frame(type: number, flags: number, id: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

function withoutPadding(body: Buffer): Buffer {
  const padding = body[0] ?? 0;
  if (padding >= body.length) throw new Http2Error('Protocol error');
  return body.subarray(1, body.length - padding);
}

/** One request and its answer. */
class Stream implements Http2Stream {
  headers: Headers | undefined;
  trailers: Headers | undefined;
  readonly unsent: Uint8Array[] = [];
  isSending = false;
  sendWindow = 0;
  /** Bytes that were read, and not yet given back to the server. */
  taken = 0;
  unreadBytes = 0;
  #unread: Buffer[] = [];
  #isOver = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(
    private readonly onTaken: (bytes: number) => void,
    private readonly onClose: () => void,
    private readonly onHeaders: (headers: Headers) => void,
  ) {}

  take(headers: Headers): void {
    // What comes before the headers of the answer is about the way to it.
    if (!this.headers && /^1\d\d$/.test(headers[':status'] ?? '')) return;
    if (this.headers) this.trailers = headers;
    else {
      this.headers = headers;
      this.onHeaders(headers);
    }
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#unread.push(bytes);
    this.unreadBytes += bytes.length;
    this.#wake?.();
  }

  end(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#wake?.();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onClose();
  }

  abort(reason: unknown): void {
    this.#error ??= reason;
    this.close();
    this.#wake?.();
  }

  get chunks(): AsyncIterable<Buffer> {
    return this.#chunks();
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      while (this.#unread.length > 0) {
        const parts = this.#unread;
        const bytes = this.unreadBytes;
        this.#unread = [];
        this.unreadBytes = 0;
        this.onTaken(bytes);
        yield parts.length === 1 ? (parts[0] ?? EMPTY) : Buffer.concat(parts, bytes);
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
