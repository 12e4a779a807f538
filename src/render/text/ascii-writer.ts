/**
 * Text written straight into bytes: a dump of millions of entries makes no garbage, so memory stays where it is.
 * The buffer grows when a piece does not fit; `take` hands out what was written and starts over in the same memory.
 */
export class AsciiWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(size = 1 << 16) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  get length(): number {
    return this.#at;
  }

  /** What was written so far; valid until the next write. */
  take(): Buffer {
    const written = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    return written;
  }

  /** Makes room for a line: the other methods do not check. */
  reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }

  /** Constant text, encoded once with `ascii`. */
  put(text: Uint8Array): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text[i] ?? 0;
    this.#at = at;
  }

  text(text: string): void {
    this.#at += this.#bytes.write(text, this.#at, 'latin1');
  }

  /** A whole number from 0 to 2^53. */
  number(value: number): void {
    if (value > 0xffff_ffff) {
      this.text(String(value));
      return;
    }
    let rest = value;
    let digits = 1;
    for (let limit = 10; rest >= limit && digits < 10; limit *= 10) digits++;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const tens = Math.floor(rest / 10);
      this.#bytes[at] = 48 + (rest - 10 * tens);
      rest = tens;
    }
    this.#at += digits;
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) this.number(value);
    else this.text(String(value));
  }

  /** The four bytes at `from` as a dotted address. */
  ipv4(raw: Uint8Array, from: number): void {
    for (let i = 0; i < 4; i++) {
      if (i > 0) this.#bytes[this.#at++] = 46;
      this.number(raw[from + i] ?? 0);
    }
  }
}

/** Bytes of a constant. */
export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
