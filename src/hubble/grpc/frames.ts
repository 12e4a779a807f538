/** Messages larger than this are refused, so that a broken length cannot take all memory. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The far end does not keep to gRPC's framing. */
export class FrameError extends Error {
  override name = 'FrameError';
}

/** A message is larger than is taken. */
export class FrameTooLarge extends FrameError {}

/** Cuts a gRPC body into messages: a byte of flags, a length of four bytes, the message. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes without which the message at the front cannot be complete. */
  #needed = 5;

  /** Bytes of a message that is not complete yet. */
  get pending(): number {
    return this.#size;
  }

  /** The messages that `chunk` completes, as windows of the bytes received. */
  push(chunk: Buffer): Buffer[] {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return [];
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#size);
    const messages: Buffer[] = [];
    let at = 0;
    this.#needed = 5;
    while (bytes.length - at >= 5) {
      const length = checkedLength(bytes, at);
      if (bytes.length - at - 5 < length) {
        this.#needed = 5 + length;
        break;
      }
      messages.push(bytes.subarray(at + 5, at + 5 + length));
      at += 5 + length;
    }
    this.#parts = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#size = bytes.length - at;
    return messages;
  }
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
  const framed = Buffer.allocUnsafe(message.length + 5);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}
