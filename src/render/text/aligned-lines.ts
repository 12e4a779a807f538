import { type TabStop, tabulate } from './table.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const BLANK = 0x20;

/**
 * A table as `tabulate` aligns it, of bytes: lines are measured as they come, held once, and go out in blocks. This needs lines
 * that all have the same cells; others are left to `tabulate`.
 */
export class AlignedLines {
  readonly #blocks: { bytes: Uint8Array; lines: number }[] = [];
  readonly #widths: number[];
  #isEven = true;

  constructor(
    header: string,
    private readonly stop: TabStop,
  ) {
    this.#widths = new Array<number>(header.split('\t').length - 1).fill(stop.minWidth);
    this.add(Buffer.from(header));
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 1;
  }

  /** Takes whole lines, whose bytes have to stay as they are. */
  add(bytes: Uint8Array): void {
    const { padding } = this.stop;
    const widths = this.#widths;
    let lines = 0;
    let column = 0;
    let width = padding;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte > TAB + 1) {
        // Code points count; what follows the first byte of one does not.
        if ((byte & 0xc0) !== 0x80) width++;
      } else if (byte === TAB) {
        if (width > (widths[column] ?? 0)) widths[column] = width;
        column++;
        width = padding;
      } else if (byte === NEWLINE) {
        if (column !== widths.length) this.#isEven = false;
        lines++;
        column = 0;
        width = padding;
      } else width++;
    }
    if (bytes.length > 0) this.#blocks.push({ bytes, lines });
  }

  /** The table, piece by piece; nothing when it has no line. */
  *take(): Generator<Uint8Array> {
    if (this.isEmpty) return;
    if (!this.#isEven) {
      const text = Buffer.concat(this.#blocks.map(({ bytes }) => bytes)).toString();
      yield Buffer.from(tabulate(text, this.stop));
      return;
    }
    for (const block of this.#blocks) yield this.#aligned(block);
  }

  #aligned({ bytes, lines }: { bytes: Uint8Array; lines: number }): Uint8Array {
    const widths = this.#widths;
    const most = widths.reduce((sum, width) => sum + width, 0);
    const out = Buffer.allocUnsafeSlow(bytes.length + lines * most);
    let end = 0;
    let column = 0;
    let width = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === TAB) {
        for (const to = widths[column++] ?? 0; width < to; width++) out[end++] = BLANK;
        width = 0;
        continue;
      }
      out[end++] = byte;
      if (byte === NEWLINE) column = width = 0;
      else if ((byte & 0xc0) !== 0x80) width++;
    }
    return out.subarray(0, end);
  }
}
