/** Messages larger than this are refused, so that a broken length cannot take all memory. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The far end does not keep to gRPC's framing. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** A message is larger than is taken. */
export class FrameTooLarge extends FrameError {}

/** What stands in front of a message: a byte of flags, a length of four bytes. */
const HEAD_BYTES = 5;

/** Cuts a gRPC body where messages end. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes without which the message at the front cannot be complete. */
  #needed = HEAD_BYTES;

  /** Bytes of a message that is not complete yet. */
  get pending(): number {
    return this.#size;
  }

  /**
   * The messages that `chunk` completes, each behind its head: one that began earlier in memory of its own, the others as a window
   * of the chunk. Of what is not complete it keeps a copy.
   */
  push(chunk: Buffer): Buffer[] {
    const whole: Buffer[] = [];
    let start = 0;
    while (this.#size > 0 && start < chunk.length) {
      const part = chunk.subarray(start, start + this.#needed - this.#size);
      this.#keep(part);
      start += part.length;
      const message = this.#complete();
      if (message) whole.push(message);
    }
    let end = start;
    while (chunk.length - end >= HEAD_BYTES) {
      const length = HEAD_BYTES + checkedLength(chunk, end);
      if (chunk.length - end < length) break;
      end += length;
    }
    if (end > start) whole.push(chunk.subarray(start, end));
    if (end < chunk.length) {
      this.#keep(chunk.subarray(end));
      this.#complete();
    }
    return whole;
  }

  #keep(part: Buffer): void {
    this.#parts.push(Buffer.from(part));
    this.#size += part.length;
  }

  /** The message at the front with its head, when it is all there. */
  #complete(): Buffer | undefined {
    if (this.#size < this.#needed) return undefined;
    const bytes = Buffer.concat(this.#parts, this.#size);
    this.#needed = HEAD_BYTES + checkedLength(bytes, 0);
    if (this.#size < this.#needed) {
      this.#parts = [bytes];
      return undefined;
    }
    this.#parts = [];
    this.#size = 0;
    this.#needed = HEAD_BYTES;
    return bytes;
  }
}

/** Messages that stand one behind the other, each behind its head, one by one. */
export function* framesOf(whole: Buffer): Generator<Buffer> {
  for (let at = 0; at < whole.length; ) {
    const end = at + HEAD_BYTES + whole.readUInt32BE(at + 1);
    yield whole.subarray(at, end);
    at = end;
  }
}

/** The same without their heads. */
export function* messagesOf(whole: Buffer): Generator<Buffer> {
  for (const framed of framesOf(whole)) yield withoutHead(framed);
}

/** The message behind its head. */
export function withoutHead(framed: Buffer): Buffer {
  return framed.subarray(HEAD_BYTES);
}

function checkedLength(bytes: Buffer, at: number): number {
  if (bytes[at] === 1) throw new FrameError('grpc: compressed flag set with identity or empty encoding');
  if (bytes[at] !== 0) throw new FrameError('the answer is not framed as gRPC');
  const length = bytes.readUInt32BE(at + 1);
  if (length > MAX_MESSAGE_BYTES)
    throw new FrameTooLarge(`grpc: received message larger than max (${length} vs. ${MAX_MESSAGE_BYTES})`);
  return length;
}

/** A message with its header in front. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEAD_BYTES);
  return framed;
}
