/** A line without its newline. */
export interface Line {
  /** Its first bytes, as many as are kept. */
  bytes: Buffer;
  /** How long it was. */
  length: number;
}

const NEWLINE = 0x0a;

/** Cuts bytes into lines as they come. Each byte is looked at once, however long a line is. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #kept = 0;
  #length = 0;

  /** Of a line that is longer than `keepBytes` the rest is counted and let go. */
  constructor(private readonly keepBytes: number) {}

  /** Length of the line that has not ended yet. */
  get pending(): number {
    return this.#length;
  }

  /** The lines that end in these bytes. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      lines.push(this.rest());
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    return lines;
  }

  /** The line that has not ended, which is thereby over. */
  rest(): Line {
    const [first, second] = this.#parts;
    const bytes = first && !second ? first : Buffer.concat(this.#parts, this.#kept);
    const line = { bytes, length: this.#length };
    this.#parts = [];
    this.#kept = 0;
    this.#length = 0;
    return line;
  }

  #add(bytes: Buffer): void {
    this.#length += bytes.length;
    const kept = bytes.subarray(0, this.keepBytes - this.#kept);
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#kept += kept.length;
  }
}
