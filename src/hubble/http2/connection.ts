import type { Duplex } from 'node:stream';
import {
  ACK,
  CANCEL,
  CONTINUATION,
  DATA,
  END_STREAM,
  FRAME_BYTES,
  type FrameHead,
  FrameReader,
  frame,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  Http2Error,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
  withoutPadding,
} from './frames.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { Headers } from './hpack.ts';
import { DEFAULT_WINDOW, ENABLE_PUSH, INITIAL_WINDOW_SIZE, Outbox } from './outbox.ts';
import { type Http2Stream, Stream, StreamReset } from './stream.ts';

const SETTING_BYTES = 6;
const REFUSED_STREAM = 7;
/** The length of the body of a frame, where it has one. */
const LENGTHS: Readonly<Record<number, number>> = {
  [PRIORITY]: 5,
  [RST_STREAM]: 4,
  [PING]: 8,
  [WINDOW_UPDATE]: 4,
};

/** Requests are far shorter. */
const MOST_UNSENT_BYTES = 1024 * 1024;
/** So many frames within a second that bring nothing are a flood. */
const MOST_IDLE_FRAMES = 10_000;
const IDLE_MS = 1000;
const GREETING = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What a connection runs on. */
export interface Wire {
  readonly socket: Duplex;
  /** Has all that comes handed over, in memory that may be overwritten afterwards. */
  readonly listen: (take: (bytes: Buffer) => void) => void;
}

/**
 * The client's end of an HTTP/2 connection (RFC 9113), as much of it as gRPC needs: nothing is pushed, no priorities.
 * Why not node:http2: docs/decisions/http2.md.
 */
export class Http2Connection {
  private readonly socket: Duplex;
  readonly #streams = new Map<number, Stream>();
  readonly #outbox = new Outbox(this.#streams, (bytes) => this.socket.write(bytes));
  readonly #blocks = new HeaderBlocks();
  readonly #frames: FrameReader;
  #nextId = 1;
  /** Bytes that the server may send. */
  #window: number;
  #taken = 0;
  #idleFrames = 0;
  #isLeaving = false;
  #ended: Error | undefined;
  #greeted: (() => void) | undefined;
  readonly #onEnd: ((error: Error) => void)[] = [];

  private constructor(
    { socket, listen }: Wire,
    private readonly windowBytes: number,
  ) {
    this.socket = socket;
    this.#window = windowBytes;
    this.#frames = new FrameReader({
      begin: (head) => this.#begin(head),
      data: (id, chunk, start, end) => this.#data(id, chunk, start, end),
      end: (head, body) => this.#frame(head, body),
    });
    listen((chunk) => this.#read(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('end', () => this.#end(new Http2Error('EOF')));
    socket.on('close', () => this.#end(new Http2Error('EOF')));
    const settings = Buffer.alloc(2 * SETTING_BYTES);
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
  static greet(wire: Wire, windowBytes: number, timeoutMs: number): Promise<Http2Connection> {
    return new Promise((resolve, reject) => {
      const connection = new Http2Connection(wire, windowBytes);
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
      if (wire.socket.destroyed) connection.#end(new Http2Error('EOF'));
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
    const stream = new Stream(
      this.windowBytes,
      (bytes) => this.#took(id, bytes),
      () => this.#abandon(id),
      onHeaders,
    );
    if (this.#ended || this.#isLeaving) {
      stream.end(this.#ended ?? new Http2Error('the server is going away'));
      return stream;
    }
    this.#nextId += 2;
    this.#streams.set(id, stream);
    this.#outbox.begin(id, stream, headers, bodies);
    return stream;
  }

  /** Ends the connection and all its streams. */
  destroy(): void {
    this.#end(new Http2Error('the connection was closed'));
  }

  /** A reader took so many bytes: the server may send as many more, said in large steps. */
  #took(id: number, bytes: number): void {
    if (this.#ended) return;
    this.#taken += bytes;
    const step = this.windowBytes / 2;
    const updates: Buffer[] = [];
    if (this.#taken >= step) {
      updates.push(frame(WINDOW_UPDATE, 0, 0, uint32(this.#taken)));
      this.#window += this.#taken;
      this.#taken = 0;
    }
    const stream = this.#streams.get(id);
    if (stream) {
      stream.taken += bytes;
      if (stream.taken >= step) {
        updates.push(frame(WINDOW_UPDATE, 0, id, uint32(stream.taken)));
        stream.window += stream.taken;
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
    this.#frames.stop();
    for (const stream of this.#streams.values()) stream.end(error);
    this.#streams.clear();
    for (const ended of this.#onEnd) ended(error);
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      this.#frames.read(chunk);
      // Pings and settings that are to be answered, of a server that does not read the answers.
      if (this.socket.writableLength > MOST_UNSENT_BYTES) throw new Http2Error('the server does not read');
    } catch (error) {
      this.#end(error instanceof Error ? error : new Http2Error(String(error)));
    }
  }

  #begin({ type, id, length }: FrameHead): void {
    if (this.#greeted && type !== SETTINGS) throw new Http2Error('Protocol error');
    if (length > FRAME_BYTES) throw new Http2Error('frame too large');
    const { openId } = this.#blocks;
    if (openId !== undefined && (type !== CONTINUATION || id !== openId))
      throw new Http2Error('Protocol error');
    if (length !== (LENGTHS[type] ?? length)) throw new Http2Error('Frame size error');
    switch (type) {
      case DATA:
        this.#checkStream(id);
        this.#use(id, length);
        break;
      case HEADERS:
      case CONTINUATION:
      case RST_STREAM:
        this.#checkStream(id);
        break;
      case SETTINGS:
      case PING:
      case GOAWAY:
        if (id !== 0) throw new Http2Error('Protocol error');
    }
  }

  /** Only streams that were opened here have frames of their own. */
  #checkStream(id: number): void {
    if (id % 2 === 0 || id >= this.#nextId) throw new Http2Error('Protocol error');
  }

  /** The server sends so many bytes of what it may send. */
  #use(id: number, bytes: number): void {
    this.#window -= bytes;
    const stream = this.#streams.get(id);
    if (stream) stream.window -= bytes;
    if (this.#window < 0 || (stream && stream.window < 0)) throw new Http2Error('Flow control error');
  }

  #data(id: number, chunk: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(id);
    if (stream) stream.push(chunk, start, end);
    // Of one that was closed here: others of the connection go on.
    else this.#took(id, end - start);
  }

  /** A frame is complete. */
  #frame(head: FrameHead, body: Buffer): void {
    const { type, flags, id } = head;
    switch (type) {
      case DATA: {
        const text = flags & PADDED ? withoutPadding(body) : body;
        if (flags & PADDED) this.#data(id, text, 0, text.length);
        // Padding counts as well.
        this.#took(id, body.length - text.length);
        if (flags & END_STREAM) this.#finish(id);
        else if (head.length === 0 || (flags & PADDED && text.length === 0)) this.#countIdle();
        return;
      }
      case HEADERS: {
        const padded = flags & PADDED ? withoutPadding(body) : body;
        if (flags & HAS_PRIORITY && padded.length < LENGTH_OF_PRIORITY)
          throw new Http2Error('Frame size error');
        this.#addBlock(id, flags, flags & HAS_PRIORITY ? padded.subarray(LENGTH_OF_PRIORITY) : padded);
        return;
      }
      case CONTINUATION:
        if (this.#blocks.openId === undefined) throw new Http2Error('Protocol error');
        this.#addBlock(id, flags, body);
        return;
      case RST_STREAM:
        this.#reset(id, body.readUInt32BE(0));
        break;
      case SETTINGS:
        this.#settings(flags, body);
        break;
      case PING:
        if (!(flags & ACK)) this.socket.write(frame(PING, ACK, 0, body));
        break;
      case GOAWAY:
        this.#leave(body);
        break;
      case WINDOW_UPDATE:
        this.#outbox.widen(id, body.readUInt32BE(0) & 0x7fff_ffff);
        break;
      case PUSH_PROMISE:
        throw new Http2Error('Protocol error');
    }
    this.#countIdle();
  }

  /** A frame brought nothing that anybody waits for. */
  #countIdle(): void {
    this.#idleFrames++;
    if (this.#idleFrames > MOST_IDLE_FRAMES) throw new Http2Error('the server floods');
    if (this.#idleFrames > 1) return;
    setTimeout(() => {
      this.#idleFrames = 0;
    }, IDLE_MS).unref();
  }

  #reset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    // A server that has said all of its answer may lose interest in the rest of the request.
    if (stream && code === 0 && stream.trailers) stream.end();
    else stream?.end(new StreamReset(code));
  }

  /** The server takes no more requests; what it answers yet it tells. */
  #leave(body: Buffer): void {
    if (body.length < 8) throw new Http2Error('Frame size error');
    const last = body.readUInt32BE(0) & 0x7fff_ffff;
    const code = body.readUInt32BE(4);
    this.#isLeaving = true;
    for (const [own, stream] of this.#streams) {
      if (own <= last) continue;
      this.#streams.delete(own);
      stream.end(new StreamReset(code || REFUSED_STREAM));
    }
  }

  #addBlock(id: number, flags: number, part: Buffer): void {
    const block = this.#blocks.add(id, flags, part);
    if (!block) return;
    // Also those of a stream that nobody reads any longer are decoded: the next ones may refer to them.
    const stream = this.#streams.get(id);
    // What comes behind the body ends the stream.
    if (stream?.headers && !block.isLast) throw new Http2Error('Protocol error');
    if (!stream?.take(block.headers)) this.#countIdle();
    if (block.isLast) this.#finish(id);
  }

  #finish(id: number): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    if (stream?.isSending) this.socket.write(frame(RST_STREAM, 0, id, uint32(CANCEL)));
    stream?.end();
  }

  #settings(flags: number, body: Buffer): void {
    if (flags & ACK ? body.length > 0 : body.length % SETTING_BYTES !== 0)
      throw new Http2Error('Frame size error');
    if (flags & ACK) return;
    const count = body.length / SETTING_BYTES;
    const settings = Array.from({ length: count }, (_, i): [number, number] => [
      body.readUInt16BE(i * SETTING_BYTES),
      body.readUInt32BE(i * SETTING_BYTES + 2),
    ]);
    this.socket.write(frame(SETTINGS, ACK, 0));
    this.#greeted?.();
    this.#greeted = undefined;
    this.#outbox.adjust(settings);
  }
}

const LENGTH_OF_PRIORITY = 5;
