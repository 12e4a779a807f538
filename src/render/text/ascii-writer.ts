/** Constant text as bytes, and as words of eight: they take an eighth of the steps. ASCII is no NaN, whose bits may change. */
export interface Ascii {
  length: number;
  words: Float64Array;
}

const WORD = 8;
/** Words may be written beyond what counts. */
const SLACK = 2 * WORD;

/**
 * Text written straight into bytes: a dump of millions of entries makes no garbage, so memory stays where it is.
 * The buffer grows when a piece does not fit; `take` hands out what was written and starts over in the same memory.
 */
export class AsciiWriter {
  #bytes: Buffer;
  #view: DataView;
  #at = 0;

  constructor(size = 1 << 16) {
    this.#bytes = Buffer.allocUnsafeSlow(size + SLACK);
    this.#view = viewOf(this.#bytes);
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
    if (this.#at + size + SLACK <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + size + SLACK));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  /** Constant text, encoded once with `ascii`. */
  put({ words, length }: Ascii): void {
    const view = this.#view;
    let at = this.#at;
    for (let i = 0; i < words.length; i++) {
      view.setFloat64(at, words[i] ?? 0, true);
      at += WORD;
    }
    this.#at += length;
  }

  text(text: string): void {
    this.#at += this.#bytes.write(text, this.#at, 'latin1');
  }

  /** A whole number from 0 to 2^53. */
  number(value: number): void {
    if (value < 1000) this.#first(value);
    else if (value < 1_000_000) {
      const thousands = (value / 1000) >>> 0;
      this.#first(thousands);
      this.#next(value - 1000 * thousands);
    } else if (value <= 0xffff_ffff) {
      const millions = (value / 1_000_000) >>> 0;
      const rest = value - 1_000_000 * millions;
      const thousands = (rest / 1000) >>> 0;
      this.number(millions);
      this.#next(thousands);
      this.#next(rest - 1000 * thousands);
    } else this.text(String(value));
  }

  /** Up to three digits. */
  #first(value: number): void {
    const digits = FIRST[value] ?? 0;
    this.#view.setUint32(this.#at, digits, true);
    this.#at += digits >>> 24;
  }

  /** Three digits. */
  #next(value: number): void {
    this.#view.setUint32(this.#at, NEXT[value] ?? 0, true);
    this.#at += 3;
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) this.number(value);
    else this.text(String(value));
  }

  /** The four bytes at `from` as a dotted address. */
  ipv4(raw: Uint8Array, from: number): void {
    for (let i = 0; i < 4; i++) {
      if (i > 0) this.#bytes[this.#at++] = 46;
      this.#first(raw[from + i] ?? 0);
    }
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The digits of the numbers below 1000 in three bytes, and how many there are in the fourth. */
const FIRST = Uint32Array.from({ length: 1000 }, (_, i) => {
  const text = String(i);
  return Buffer.from(`${text.padEnd(3)}${String.fromCharCode(text.length)}`, 'latin1').readUInt32LE();
});
/** The same with zeros in front. */
const NEXT = Uint32Array.from({ length: 1000 }, (_, i) =>
  Buffer.from(`${String(i).padStart(3, '0')} `, 'latin1').readUInt32LE(),
);

/** Bytes of a constant. */
export function ascii(text: string): Ascii {
  const words = new Float64Array(Math.ceil(text.length / WORD));
  Buffer.from(words.buffer).write(text, 'latin1');
  return { length: text.length, words };
}
