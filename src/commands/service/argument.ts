import type { Command } from 'commander';
import { requiredArgument } from '../../cli/flags.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { parseGoInteger } from '../../lib/go-integer.ts';
import { atLeast } from '../../model/release.ts';

/** What 1.13 announced for the next release. The command lines of 1.13 to 1.17 say it before anything else. */
export async function announceTextIds(ctx: Context): Promise<void> {
  const release = await releaseOfAgent(ctx);
  if (release !== undefined && atLeast(release, '1.13') && !atLeast(release, '1.18'))
    await ctx.out.write('Deprecation warning: --id parameter will change from int to string in v1.14\n');
}

/** The number of a service, in decimal or with 0x. */
export function serviceIdArgument(command: Command, argument: string | undefined): number {
  const text = requiredArgument(command, argument, 'service id');
  const id = parseGoInteger(text);
  if (id === undefined)
    throw new UserError(`Unable to parse service ID: ${text}`, {
      hint: 'Expected a number; "cilium service list" shows them in its first column.',
    });
  return id;
}
