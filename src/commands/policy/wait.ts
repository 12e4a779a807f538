import type { Command } from 'commander';
import { examples, integer, requiredArgument } from '../../cli/flags.ts';
import { countRealized } from '../../cli/policy/count-realized.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { goDuration } from '../../render/text/duration.ts';
import { OWN_RETURN } from '../../render/text/sanitize.ts';

interface WaitOptions {
  sleepTime: number;
  failWaitTime: number;
  maxWaitTime: number;
}

/** Declares `policy wait`. */
export function addPolicyWaitCommand(command: Command, ctx: Context): void {
  command
    .argument('[revision]', 'policy revision that every endpoint must have realized')
    .addHelpText('after', examples('cilium policy wait 12'))
    .addOption(
      integer('--sleep-time <seconds>', 'Sleep interval between checks (seconds)', { min: 0 }).default(1),
    )
    .addOption(
      integer(
        '--fail-wait-time <seconds>',
        'Wait time after which command fails if endpoint regeneration fails (seconds)',
        { min: 0 },
      ).default(60),
    )
    .addOption(
      integer('--max-wait-time <seconds>', 'Wait time after which command fails (seconds)', {
        min: 0,
      }).default(360),
    );
  command.action((revision: string | undefined, options: WaitOptions) =>
    runPolicyWait(requiredArgument(command, revision, 'revision'), options, ctx),
  );
}

/** The least that a look at the endpoints takes, where the clock does not say. */
const POLL_MS = 1;

/** Polls the endpoints until all have realized the revision. */
export async function runPolicyWait(text: string, options: WaitOptions, ctx: Context): Promise<void> {
  if (!/^[+-]?\d+$/.test(text))
    throw new UserError(`invalid revision '${text}': expected a whole number`, {
      hint: 'The last line of "cilium policy get" shows the current one.',
    });
  const revision = Number(text);
  const start = ctx.clock.nowMs();
  let slept = 0;
  for (let waited = false; ; waited = true) {
    const { ready, failing, total } = await countRealized(revision, await ctx.agent());
    if (ready === total) {
      if (waited) await ctx.out.write('\n');
      return;
    }
    // With a fixed clock (CILIUM_NOW) the loop must still end, and a look takes time too.
    const elapsedMs = Math.max(ctx.clock.nowMs() - start, slept);
    const elapsed = goDuration(Math.round(elapsedMs) * 1_000_000);
    if (elapsedMs > options.failWaitTime * 1000 && failing > 0)
      throw new UserError(`\n${failing} endpoints have failed regeneration after ${elapsed}\n`);
    if (elapsedMs > options.maxWaitTime * 1000)
      throw new UserError(
        `\n${total - ready} endpoints still not ready after ${elapsed} (${failing} failed)\n`,
      );
    await ctx.out.write(
      `${OWN_RETURN}Waiting for endpoints to run policy revision ${revision}: ${ready}/${total}              `,
    );
    await ctx.clock.sleep(options.sleepTime * 1000, ctx.signal);
    slept += options.sleepTime * 1000 + POLL_MS;
  }
}
