import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../../bpf/kernel/pins.ts';
import { NAT_RETRIES } from '../../../../bpf/layouts/nat.ts';
import { readSlots } from '../../../../bpf/maps/records.ts';
import { printStructs } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../../../cli/output.ts';
import type { Context } from '../../../../context.ts';
import { RETRIES, sayMissing } from '../maps.ts';

/** Declares `bpf nat retries list`. */
export function addBpfNatRetriesListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf nat retries list'));
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfNatRetriesList(options, ctx));
}

/** Prints how many translations took how many tries to find a port. */
export async function runBpfNatRetriesList(options: OutputFlag, ctx: Context): Promise<void> {
  for (const name of RETRIES) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (!map) {
      await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
      continue;
    }
    const counts = (await readSlots(map, NAT_RETRIES)).map(({ key, values }) => ({
      tries: key.index,
      // 32 bits, as the datapath counts.
      count: values.reduce((sum, slot) => sum + slot.value, 0) >>> 0,
    }));
    if (options.output === '')
      await ctx.out.write(counts.map(({ tries, count }) => `${tries}:\t${count}\n`).join(''));
    else
      await printStructs(
        ctx,
        counts.map(({ tries, count }) => ({ Key: { Key: tries }, Value: { Value: count } })),
        options,
      );
  }
}
