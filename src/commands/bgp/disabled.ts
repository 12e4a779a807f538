import { ApiError } from '../../agent/client.ts';
import type { Context } from '../../context.ts';

/** Runs a verb; that BGP is disabled is printed to stdout, and is not an error. */
export async function unlessBgpIsDisabled(ctx: Context, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (!(cause instanceof ApiError && cause.status === 501)) throw error;
    await ctx.out.write('BGP Control Plane is disabled\n');
  }
}
