import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { wordsOf } from '../../kube/client.ts';
import { goDuration } from '../../render/text/duration.ts';

const RETRY_MS = 2000;
const TOLD_MS = 10_000;

/** How long all waiting of a verb may take together. */
export class Deadline {
  #slept = 0;
  readonly #start: number;

  constructor(
    private readonly ctx: Context,
    private readonly limitMs: number,
  ) {
    this.#start = ctx.clock.nowMs();
  }

  get elapsedMs(): number {
    return Math.max(this.#slept, this.ctx.clock.nowMs() - this.#start);
  }

  /** Sleeps before the next try. False when the time is up. */
  async pause(): Promise<boolean> {
    if (this.elapsedMs + RETRY_MS > this.limitMs) return false;
    await this.ctx.clock.sleep(RETRY_MS, this.ctx.signal);
    this.#slept += RETRY_MS;
    return true;
  }
}

/**
 * Does something until it does not fail, if it may wait for that. `tell` is called with how long it has been waiting, at most
 * every ten seconds. Throws the last error.
 */
export async function persist<T>(
  work: () => Promise<T>,
  deadline: Deadline | undefined,
  tell: (elapsed: string, why: string) => Promise<void>,
): Promise<T> {
  const start = deadline?.elapsedMs ?? 0;
  let told = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!deadline || !(error instanceof UserError)) throw error;
      const why = error.message ? wordsOf(error) : errorMessage(error);
      const elapsed = deadline.elapsedMs - start;
      if (elapsed - told > TOLD_MS) {
        await tell(goDuration(Math.trunc(elapsed / 1000) * 1e9), why);
        told = elapsed;
      }
      if (await deadline.pause()) continue;
      throw new UserError(`timeout while waiting for condition, last error: ${why}`, {
        hint: error.hint,
        cause: error,
      });
    }
  }
}
