import type { Command } from 'commander';
import { globalPath } from '../../../../bpf/kernel/pins.ts';
import { counter32, index32 } from '../../../../bpf/layouts/structs.ts';
import { readSlots } from '../../../../bpf/maps/records.ts';
import { printStructs, withGlobal } from '../../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../../cli/output.ts';
import type { Context } from '../../../../context.ts';
import { sayMissing } from '../maps.ts';
import { RETRIES } from './maps.ts';

/** Declares `bpf nat retries list`. */
export function addBpfNatRetriesListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfNatRetriesList(options, ctx));
}

/** Prints how many translations took how many tries to find a port. */
export async function runBpfNatRetriesList(options: OutputFlag, ctx: Context): Promise<void> {
  for (const name of RETRIES) {
    const counts = await withGlobal(ctx, name, async (map) =>
      (await readSlots(map, index32, counter32)).map(({ key, value }) => ({
        tries: key.index,
        // 32 bits, as the datapath counts.
        count: value.reduce((sum, slot) => sum + slot.value, 0) >>> 0,
      })),
    );
    if (!counts) await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
    else if (options.output === '')
      await ctx.out.write(counts.map(({ tries, count }) => `${tries}:\t${count}\n`).join(''));
    else
      await printStructs(
        ctx,
        counts.map(({ tries, count }) => ({ Key: { Key: tries }, Value: { Value: count } })),
        options,
      );
  }
}
