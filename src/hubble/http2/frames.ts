/** Types of frames. */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

/** Flags of frames. */
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const HAS_PRIORITY = 0x20;

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
export const CANCEL = 8;

/** The name of an error; of one that is not known, its number. */
export function errorName(code: number): string {
  return ERRORS[code] ?? String(code);
}

/** The far end does not keep to HTTP/2. */
export class Http2Error extends Error {
  override name = 'Http2Error';
}

export const HEAD_BYTES = 9;
/** The largest frame that is taken, and sent, unless something else was agreed on. */
export const FRAME_BYTES = 16_384;
const EMPTY: Buffer = Buffer.alloc(0);

/** A frame as it is sent. */
export function frame(type: number, flags: number, id: number, body: Uint8Array = EMPTY): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(id, 5);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** A number as the bodies of frames have it. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

/** What a body holds beside its padding. */
export function withoutPadding(body: Buffer): Buffer {
  const padding = body[0] ?? 0;
  if (padding >= body.length) throw new Http2Error('Protocol error');
  return body.subarray(1, body.length - padding);
}

/** The head of a frame. */
export interface FrameHead {
  type: number;
  flags: number;
  id: number;
  /** Bytes of its body. */
  length: number;
}

/** What is done with the frames of a connection. What is handed over is overwritten afterwards. */
export interface FrameTaker {
  /** A frame begins. Throws where it may not. */
  begin(head: FrameHead): void;
  /** A part of the body of a frame of data without padding: what `chunk` has from `start` to `end`. */
  data(id: number, chunk: Buffer, start: number, end: number): void;
  /** A frame is complete. Of data without padding `body` is empty. */
  end(head: FrameHead, body: Buffer): void;
}

/** Cuts what a socket brings into frames. */
export class FrameReader {
  readonly #head: FrameHead = { type: 0, flags: 0, id: 0, length: 0 };
  /** Of a head that came in parts. */
  readonly #start = Buffer.alloc(HEAD_BYTES);
  #started = 0;
  /** Bytes that are missing of the body of the frame; -1 while there is none. */
  #left = -1;
  #parts: Buffer[] = [];
  #isStopped = false;

  constructor(private readonly taker: FrameTaker) {}

  /** Reads no further. */
  stop(): void {
    this.#isStopped = true;
  }

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isStopped; )
      at = this.#left === -1 ? this.#readHead(chunk, at) : this.#readBody(chunk, at);
  }

  #readHead(chunk: Buffer, at: number): number {
    if (this.#started === 0 && chunk.length - at >= HEAD_BYTES) {
      this.#begin(chunk, at);
      return at + HEAD_BYTES;
    }
    const part = chunk.subarray(at, at + HEAD_BYTES - this.#started);
    this.#start.set(part, this.#started);
    this.#started += part.length;
    if (this.#started === HEAD_BYTES) {
      this.#started = 0;
      this.#begin(this.#start, 0);
    }
    return at + part.length;
  }

  #begin(bytes: Buffer, at: number): void {
    const head = this.#head;
    head.length = bytes.readUIntBE(at, 3);
    head.type = bytes[at + 3] ?? 0;
    head.flags = bytes[at + 4] ?? 0;
    head.id = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
    this.taker.begin(head);
    this.#left = head.length;
    if (this.#left === 0) this.#end(EMPTY);
  }

  #readBody(chunk: Buffer, at: number): number {
    const { type, flags, id } = this.#head;
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (type === DATA && !(flags & PADDED)) {
      this.taker.data(id, chunk, at, end);
      if (this.#left === 0) this.#end(EMPTY);
    } else if (this.#left > 0) this.#parts.push(Buffer.from(chunk.subarray(at, end)));
    else this.#end(this.#whole(chunk.subarray(at, end)));
    return end;
  }

  /** A body with its last part. */
  #whole(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last;
    const body = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    return body;
  }

  #end(body: Buffer): void {
    this.#left = -1;
    this.taker.end(this.#head, body);
  }
}
