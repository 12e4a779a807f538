import type { Command } from 'commander';
import { deletePrefilter } from '../../agent/decode/prefilter.ts';
import { examples } from '../../cli/flags.ts';
import { readBack, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { canonical, changeOf, declareChange, readBlocks } from './change.ts';

/** Declares `prefilter delete`. */
export function addPrefilterDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium prefilter delete --cidr 198.51.100.0/24'));
  declareChange(command, 'delete', async (options) => {
    const agent = await ctx.agent();
    await deletePrefilter(agent, changeOf(options)).catch(
      writeFailed('Cannot delete prefilter', 'cilium prefilter list'),
    );
    await ctx.out.write(`Deleted ${options.cidr.length} prefilter entries\n`);
    await readBack(ctx, options, 'the prefilter without the blocks', async () => {
      const held = await readBlocks(agent);
      return !options.cidr.some((cidr) => held.has(canonical(cidr)));
    });
  });
}
