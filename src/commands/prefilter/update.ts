import type { Command } from 'commander';
import { patchPrefilter } from '../../agent/decode/prefilter.ts';
import { readBack, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { canonical, changeOf, declareChange, readBlocks } from './change.ts';

/** Declares `prefilter update`. */
export function addPrefilterUpdateCommand(command: Command, ctx: Context): void {
  declareChange(command, 'block', async (options) => {
    const agent = await ctx.agent();
    await patchPrefilter(agent, changeOf(options)).catch(
      writeFailed('Cannot add/update prefilter', 'cilium prefilter list'),
    );
    await ctx.out.write(`Updated ${options.cidr.length} prefilter entries\n`);
    await readBack(ctx, options, 'the blocks in the prefilter', async () => {
      const held = await readBlocks(agent);
      return options.cidr.every((cidr) => held.has(canonical(cidr)));
    });
  });
}
