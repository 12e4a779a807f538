import { type Command, Option } from 'commander';
import { TransportError } from '../agent/http/http.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { CLEAR_LINE } from '../render/text/screen.ts';
import { failed } from './answer.ts';
import { durationOption } from './flags.ts';

/** What `addWaitOptions` adds to a command. */
export interface WaitFlags {
  wait?: boolean;
  waitTimeout: number;
}

/** Adds `--wait` and `--wait-timeout` to a verb that writes. */
export function addWaitOptions(command: Command, until: string): Command {
  return command
    .addOption(new Option('--wait', `Wait until ${until}`))
    .addOption(
      durationOption('--wait-timeout <duration>', 'Give up waiting after this time').default(60_000, '1m0s'),
    );
}

/**
 * Says of a failed write what is known: whether the request can have reached the agent before the connection broke.
 * `check` is the command that shows what the agent holds now.
 */
export function writeFailed(what: string, check: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof TransportError)) return failed(what)(error);
    const known = error.mayHaveArrived
      ? 'The request was sent, but no answer came: the change may have been made or not.'
      : 'The request never reached the agent: nothing was changed.';
    const next = error.mayHaveArrived ? ` Look with "${check}" when the agent is back.` : '';
    throw new UserError(`${what}: ${error.message}`, {
      cause: error,
      hint: `${known}${next}${error.hint ? `\n${error.hint}` : ''}`,
    });
  };
}

/**
 * Reads back what a write did. `isApplied` looks once: true, or what is missing (false when it cannot say). Without
 * --wait a change that the agent does not show yet is a note on stderr. With --wait the look is repeated until
 * --wait-timeout is over, which is an error.
 */
export async function readBack(
  ctx: Context,
  flags: WaitFlags,
  change: string,
  isApplied: () => Promise<boolean | string>,
): Promise<void> {
  if (!flags.wait) {
    const shown = await isApplied().catch(() => undefined);
    if (shown !== true && shown !== undefined)
      await ctx.err.write(`Note: the agent does not show ${change} yet; --wait waits until it does.\n`);
    return;
  }
  let waited = 0;
  const progress = ctx.err.isTTY;
  let last: unknown;
  let missing = '';
  for (let delay = 50; ; delay = Math.min(delay * 2, 1000)) {
    try {
      const state = await isApplied();
      missing = typeof state === 'string' ? `: ${state}` : '';
      if (state === true) {
        if (progress) await ctx.err.write(CLEAR_LINE);
        return;
      }
      last = undefined;
    } catch (error) {
      // An agent that restarts while it applies the change is waited for, too.
      if (!(error instanceof TransportError)) throw error;
      last = error;
    }
    if (waited + delay > flags.waitTimeout) {
      if (progress) await ctx.err.write(CLEAR_LINE);
      throw new UserError(`${change}: not shown by the agent after ${flags.waitTimeout / 1000} s${missing}`, {
        hint: 'The request was accepted; a longer --wait-timeout waits longer.',
        cause: last,
      });
    }
    if (progress) await ctx.err.write(`${CLEAR_LINE}Waiting for ${change} … ${Math.floor(waited / 1000)}s`);
    await ctx.clock.sleep(delay, ctx.signal);
    waited += delay;
  }
}
