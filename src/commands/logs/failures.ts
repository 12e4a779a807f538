import { PARTIAL } from '../../cli/exit-codes.ts';
import type { Context } from '../../context.ts';
import { errorMessage } from '../../errors.ts';
import { KubeRefusal } from '../../kube/client.ts';

/** What could not be read, told as it happens. */
export class Failures {
  count = 0;
  #isForbidden = false;

  constructor(private readonly ctx: Context) {}

  async add(label: string, error: unknown): Promise<void> {
    this.count++;
    // Rights are those of a namespace: the first refusal says what the others would.
    const isForbidden = error instanceof KubeRefusal && error.code === 403;
    if (isForbidden && this.#isForbidden) return;
    this.#isForbidden ||= isForbidden;
    const hint = error instanceof KubeRefusal && error.hint ? `\n${error.hint}` : '';
    await this.ctx.err.write(`${label}: ${errorMessage(error)}${hint}\n`);
  }

  /** Sums up for so many logs that were meant, and sets the exit code. */
  async tell(logs: number, ctx: Context): Promise<void> {
    if (this.count === 0) return;
    await ctx.err.write(`${this.count} of ${logs} logs failed\n`);
    ctx.exitCode = this.count >= logs ? 1 : PARTIAL;
  }
}
