import type { Output } from '../context.ts';

/** What stderr would have got while a screen is shown: each line is shown on it, and the last ones are printed once it is gone. */
export class Later implements Output {
  static readonly MOST = 20;
  readonly isTTY = false;
  readonly columns = undefined;
  readonly #lines: string[] = [];
  #dropped = 0;

  constructor(private readonly show: (line: string) => void | Promise<void>) {}

  async write(text: string): Promise<void> {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      this.#lines.push(line);
      if (this.#lines.length > Later.MOST) {
        this.#lines.shift();
        this.#dropped++;
      }
      await this.show(line);
    }
  }

  async pass(bytes: Uint8Array): Promise<void> {
    await this.write(Buffer.from(bytes).toString());
  }

  /** The last lines, oldest first. */
  last(count: number): string[] {
    return this.#lines.slice(-count);
  }

  async writeTo(err: Output): Promise<void> {
    const before = this.#dropped === 0 ? '' : `(${this.#dropped} messages before these are left out)\n`;
    if (this.#lines.length > 0) await err.write(`${before}${this.#lines.join('\n')}\n`);
  }
}
