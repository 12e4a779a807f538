import type { Command } from 'commander';
import { patchPrefilter } from '../../agent/decode/prefilter.ts';
import { examples } from '../../cli/flags.ts';
import { readBack, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { canonical, changeOf, declareChange, readBlocks } from './change.ts';

/** Declares `prefilter update`. */
export function addPrefilterUpdateCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium prefilter update --cidr 198.51.100.0/24,203.0.113.7/32',
      'cilium prefilter update --cidr 198.51.100.0/24 --wait',
    ),
  );
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
