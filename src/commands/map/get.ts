import type { Command } from 'commander';
import { readMap } from '../../agent/decode/maps.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { renderMapEntries } from '../../render/agent/maps.ts';

/** Declares `map get`. */
export function addMapGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium map get cilium_ipcache_v2'))
    .argument('[name]', 'name of the map, such as cilium_ipcache_v2')
    .addOption(outputOption())
    .action((name: string | undefined, options: OutputFlag) => runMapGet(mapName(name), options, ctx));
}

/** The name of a map, which must be given. */
export function mapName(name: string | undefined): string {
  if (name) return name;
  throw new UserError('map name must be specified', { hint: '"cilium map list" shows the names.' });
}

async function runMapGet(name: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readMap(agent, name);
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderMapEntries(answer.decode()));
}
