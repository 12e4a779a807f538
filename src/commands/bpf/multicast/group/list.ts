import type { Command } from 'commander';
import { printTexts } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../../cli/list.ts';
import type { Context } from '../../../../context.ts';
import { rowTable } from '../../../../render/text/blocks.ts';
import { openGroups, readGroups } from '../maps.ts';

/** Declares `bpf multicast group list`. */
export function addBpfMulticastGroupListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf multicast group list'));
  listVerb(command, ctx, runBpfMulticastGroupList);
}

/** Prints the multicast groups of this node. */
export async function runBpfMulticastGroupList(options: ListFlags, ctx: Context): Promise<void> {
  using map = openGroups(ctx);
  const groups = (await readGroups(map)).map(({ group }) => group);
  if (options.output !== '') return await printTexts(ctx, groups, options);
  await printTable(
    ctx,
    options,
    rowTable(
      ['Group Address'],
      groups.map((group) => [group]),
    ),
  );
}
