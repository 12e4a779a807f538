import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { lookAtRollouts, notesOf } from '../kube/rollouts.ts';
import type { Telling } from './detect.ts';

/** Where lines of progress go: nowhere in a dry run, whose output is piped on. */
export function telling(ctx: Context, isQuiet: boolean): Telling {
  return {
    say: (line) => (isQuiet ? Promise.resolve() : ctx.out.write(`${line}\n`)),
    note: (line) => ctx.err.write(`${line}\n`),
  };
}

/** An error with what failed in front, as the reference has it. */
export function asFailure(what: string, error: unknown): unknown {
  if (!(error instanceof UserError) || error.message.startsWith(what)) return error;
  return new UserError(`${what}: ${error.message}`, {
    hint: error.hint,
    cause: error,
    exitCode: error.exitCode,
  });
}

/** What a roll-out waits for, as far as it can be seen, on stderr. */
export async function tellStuck(client: KubeClient, namespace: string, ctx: Context): Promise<void> {
  try {
    const view = await lookAtRollouts(client, namespace, ctx);
    await ctx.err.write(`${view.text}${notesOf(view)}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await ctx.err.write(`What the roll-out waits for is not known: ${error.message}\n`);
  }
}
