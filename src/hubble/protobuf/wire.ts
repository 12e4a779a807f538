import type { Timestamp } from '../../lib/timestamp.ts';

/** Reads protobuf's wire format from a window of a buffer. Throws WireError on anything malformed. */
export class WireReader {
  /** Low and high half of the last varint. */
  lo = 0;
  hi = 0;

  constructor(
    readonly bytes: Buffer,
    public pos = 0,
    readonly end = bytes.length,
  ) {}

  /** Reads a varint of up to 64 bits into `lo` and `hi`. */
  varint(): void {
    const { bytes } = this;
    const first = bytes[this.pos] ?? 0;
    if (first < 0x80 && this.pos < this.end) {
      this.pos++;
      this.lo = first;
      this.hi = 0;
      return;
    }
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw new WireError('a number is cut short');
      const byte = bytes[this.pos++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else hi |= bits << 31;
      if (byte < 0x80) {
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    throw new WireError('a number is longer than 64 bits');
  }

  uint32(): number {
    this.varint();
    return this.lo;
  }

  /** Reads a length and checks that so many bytes are there. */
  length(): number {
    this.varint();
    if (this.hi !== 0 || this.lo > this.end - this.pos)
      throw new WireError('a field is longer than its message');
    return this.lo;
  }

  /** Reads a length, and gives a reader of so many bytes. */
  nested(): WireReader {
    const length = this.length();
    this.pos += length;
    return new WireReader(this.bytes, this.pos - length, this.pos);
  }

  /** The bytes that were not read yet. */
  rest(): Buffer {
    return this.bytes.subarray(this.pos, this.end);
  }

  /** The last varint as an unsigned number in decimal. */
  uint64Text(): string {
    return this.hi === 0 ? String(this.lo) : String((BigInt(this.hi) << 32n) | BigInt(this.lo));
  }

  /** The last varint as a signed number in decimal. */
  int64Text(): string {
    return this.hi === 0
      ? String(this.lo)
      : String(BigInt.asIntN(64, (BigInt(this.hi) << 32n) | BigInt(this.lo)));
  }

  /** Reads the seconds and nanoseconds of a Timestamp or a Duration. */
  time(): Timestamp {
    const time = { seconds: 0, nanos: 0 };
    while (this.pos < this.end) {
      const tag = this.uint32();
      if (tag === 1 << 3) {
        this.varint();
        time.seconds = (this.hi | 0) * 0x1_0000_0000 + this.lo;
      } else if (tag === 2 << 3) time.nanos = this.uint32() | 0;
      else this.skip(tag & 7);
    }
    return time;
  }

  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#advance(8);
        break;
      case 2:
        this.#advance(this.length());
        break;
      case 5:
        this.#advance(4);
        break;
      case 3:
        this.#skipGroup();
        break;
      default:
        throw new WireError(`wire type ${wireType} does not exist`);
    }
  }

  #advance(count: number): void {
    if (count > this.end - this.pos) throw new WireError('a field is longer than its message');
    this.pos += count;
  }

  #skipGroup(): void {
    for (let depth = 1; depth > 0; ) {
      const wireType = this.uint32() & 7;
      if (wireType === 4) depth--;
      else if (wireType === 3) depth++;
      else this.skip(wireType);
    }
  }
}

/** The bytes are not a message. */
export class WireError extends Error {
  override name = 'WireError';
}

/** Writes protobuf's wire format into a buffer that grows. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(512);
  #pos = 0;

  #reserve(count: number): void {
    if (this.#pos + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#pos + count));
    this.#bytes.copy(grown, 0, 0, this.#pos);
    this.#bytes = grown;
  }

  /** Writes an unsigned number of up to 32 bits. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#pos++] = rest;
  }

  /** Writes a number of 64 bits; negative ones as two's complement. */
  varint64(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#bytes[this.#pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#pos++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#pos = this.#bytes.writeDoubleLE(value, this.#pos);
  }

  raw(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#pos);
    this.#pos += bytes.length;
  }

  text(value: string): void {
    this.nested(() => {
      this.#reserve(value.length * 3);
      this.#pos += this.#bytes.write(value, this.#pos);
    });
  }

  /** Runs `write` and puts the length of what it wrote in front. */
  nested(write: () => void): void {
    this.#reserve(1);
    const start = ++this.#pos;
    write();
    const length = this.#pos - start;
    let extra = 0;
    for (let rest = length; rest > 0x7f; rest >>>= 7) extra++;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, this.#pos);
    }
    this.#pos = start - 1;
    this.varint(length);
    this.#pos += length;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#pos);
  }
}
