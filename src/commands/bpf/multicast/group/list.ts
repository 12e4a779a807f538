import type { Command } from 'commander';
import { type OutputFlag, outputOption } from '../../../../cli/output.ts';
import type { Context } from '../../../../context.ts';
import { renderOutput } from '../../../../render/text/output.ts';
import { openGroups, readGroups } from '../maps.ts';

/** Declares `bpf multicast group list`. */
export function addBpfMulticastGroupListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfMulticastGroupList(options, ctx));
}

/** Prints the multicast groups of this node. */
export async function runBpfMulticastGroupList(options: OutputFlag, ctx: Context): Promise<void> {
  using map = openGroups(ctx);
  const groups = (await readGroups(map)).map(({ group }) => group);
  if (options.output !== '') return await ctx.out.write(await renderOutput(groups, options.output));
  await ctx.out.write(`${['Group Address', ...groups].join('\n')}\n`);
}
