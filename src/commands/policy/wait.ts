import type { Command } from 'commander';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples, integer, requiredArgument } from '../../cli/flags.ts';
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
    const { ready, failing, total } = await countRealized(revision, ctx);
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

/** Number of endpoints that have realized a policy revision, and that have failed to. */
export interface Realized {
  ready: number;
  failing: number;
  total: number;
  /** The endpoints that have not, each with its state. */
  late: string[];
}

/** Counts the endpoints of the node that have realized a revision. */
export async function countRealized(revision: number, ctx: Context): Promise<Realized> {
  const agent = await ctx.agent();
  const answer = await listEndpoints(agent).catch(failed('cannot list endpoints'));
  const endpoints = answer.decode();
  const realized: Realized = { ready: 0, failing: 0, total: endpoints.length, late: [] };
  for (const { id, policyRevision, state } of endpoints) {
    if (policyRevision !== undefined && policyRevision >= revision && state === 'ready') {
      realized.ready++;
      continue;
    }
    if (policyRevision === undefined || state === undefined || state === 'not-ready') realized.failing++;
    realized.late.push(`endpoint ${id} is ${state ?? 'without a state'}`);
  }
  return realized;
}
