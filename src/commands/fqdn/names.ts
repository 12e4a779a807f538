import type { Command } from 'commander';
import { failed, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';

/** Declares `fqdn names`. */
export function addFqdnNamesCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('names')
    .description('Show internal state Cilium has for DNS names / regexes')
    .action(async () => {
      const agent = await ctx.agent();
      const names = await agent.get('/fqdn/names').catch(failed('Cannot get the names of the DNS proxy'));
      await writeStructured(ctx, 'json', names);
    });
}
