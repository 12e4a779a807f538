import type { Command } from 'commander';
import { readBack, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { bodyOf, canonical, declareChange, readBlocks } from './change.ts';

/** Declares `prefilter delete`. */
export function addPrefilterDeleteCommand(command: Command, ctx: Context): void {
  declareChange(command, 'delete', async (options) => {
    const agent = await ctx.agent();
    await agent
      .delete('/prefilter', { body: bodyOf(options) })
      .catch(writeFailed('Cannot delete prefilter', 'cilium prefilter list'));
    await ctx.out.write(`Deleted ${options.cidr.length} prefilter entries\n`);
    await readBack(ctx, options, 'the prefilter without the blocks', async () => {
      const held = await readBlocks(agent);
      return !options.cidr.some((cidr) => held.has(canonical(cidr)));
    });
  });
}
