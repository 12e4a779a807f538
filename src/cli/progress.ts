import type { Output } from '../context.ts';
import { CLEAR_LINE } from '../render/text/screen.ts';

const EVERY_MS = 100;

/** A line of a terminal that says how far something has come, until the next output. Elsewhere nothing is written. */
export class ProgressLine {
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly out: Output) {}

  /** Shows a text in place of the one before, if that has stood for a moment. */
  async show(text: string): Promise<void> {
    if (!this.out.isTTY || performance.now() - this.#shownMs < EVERY_MS) return;
    this.#shownMs = performance.now();
    await this.out.write(CLEAR_LINE + text);
  }

  /** Takes the text away. */
  async clear(): Promise<void> {
    if (this.#shownMs === Number.NEGATIVE_INFINITY) return;
    this.#shownMs = Number.NEGATIVE_INFINITY;
    await this.out.write(CLEAR_LINE);
  }
}
