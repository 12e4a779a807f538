import type { Command } from 'commander';
import { readDnsNames } from '../../agent/decode/fqdn.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';

/** Declares `fqdn names`. */
export function addFqdnNamesCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium fqdn names'));
  command.action(async () => {
    const agent = await ctx.agent();
    const names = await readDnsNames(agent).catch(failed('Cannot get the names of the DNS proxy'));
    await writeStructured(ctx, 'json', names);
  });
}
