import type { Context, Output } from '../context.ts';
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

const SECOND_MS = 1000;

/** Whether progress is shown at all: the one place that decides it. */
export function showsProgress({ err }: Context): boolean {
  return err.isTTY;
}

/**
 * Says on stderr what takes longer than a second, with the seconds, until it has ended. What the work itself says there goes
 * through the context that it is given, and takes the place of the line. Work that computes for long in one go calls `breathe`
 * now and then, so that the line can be drawn.
 */
export async function withProgress<T>(
  ctx: Context,
  say: () => string,
  work: (ctx: Context, breathe: () => Promise<void> | undefined) => Promise<T>,
): Promise<T> {
  if (!showsProgress(ctx)) return await work(ctx, () => undefined);
  const line = new ProgressLine(ctx.err);
  let seconds = 0;
  const timer = setInterval(() => {
    void line.show(`${say()}, ${++seconds} s`).catch(() => {});
  }, SECOND_MS);
  const write = async (text: string) => {
    await line.clear();
    await ctx.err.write(text);
  };
  let breathedMs = performance.now();
  const breathe = () => {
    if (performance.now() - breathedMs < EVERY_MS) return undefined;
    breathedMs = performance.now();
    return new Promise<void>((resolve) => setImmediate(resolve));
  };
  try {
    return await work({ ...ctx, err: { ...ctx.err, isTTY: ctx.err.isTTY, write } }, breathe);
  } finally {
    clearInterval(timer);
    await line.clear();
  }
}
