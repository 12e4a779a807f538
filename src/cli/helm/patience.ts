import type { Context } from '../../context.ts';

/** Between two looks. */
const LOOK_MS = 2000;

/** What is left of the time that somebody waits, over several things one after the other. */
export class Patience {
  constructor(
    private leftMs: number,
    private readonly ctx: Context,
  ) {}

  /** Looks until it is so; false where the time was up before. */
  async until(isSo: () => Promise<boolean>): Promise<boolean> {
    for (;;) {
      if (await isSo()) return true;
      if (this.leftMs <= 0) return false;
      const delay = Math.min(LOOK_MS, this.leftMs);
      await this.ctx.clock.sleep(delay, this.ctx.signal);
      this.leftMs -= delay;
    }
  }
}
