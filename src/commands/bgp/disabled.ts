import { ApiError } from '../../agent/client.ts';
import type { Context } from '../../context.ts';

/** Runs a verb; an agent without BGP is said on stdout and is no error. */
export async function unlessBgpIsDisabled(ctx: Context, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (!(cause instanceof ApiError && cause.status === 501)) throw error;
    await ctx.out.write('BGP Control Plane is disabled\n');
  }
}
