import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { askEach } from '../../../cli/kube/each-agent.ts';
import { runList } from '../../../cli/list.ts';
import type { NodeGroups } from '../../../cluster/multicast.ts';
import type { Context } from '../../../context.ts';
import { openCluster } from '../../../kube/road.ts';
import { groupsTable } from '../../../render/cluster/multicast.ts';
import {
  addListFlags,
  failedAs,
  GROUPS,
  listIn,
  type MulticastListOptions,
  multicast,
  printTold,
} from '../agents.ts';

/** Declares `multicast list group`. */
export function addMulticastListGroupCommand(command: Command, ctx: Context): void {
  addListFlags(command)
    .addHelpText('after', examples('cilium multicast list group', 'cilium multicast list group -o json'))
    .action((options: MulticastListOptions) => runList(ctx, options, runMulticastListGroup, 'The cluster'));
}

async function runMulticastListGroup(options: MulticastListOptions, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const each = { waitMs: options.waitDuration };
  const told = await askEach(
    client,
    each,
    async (place): Promise<NodeGroups> => {
      const printed = await multicast(client, place, 'group', 'list', '-o', 'json');
      if (printed.exitCode !== 0) throw failedAs(printed);
      return { node: place.node, groups: listIn(printed, GROUPS) };
    },
    ctx,
  );
  await printTold(told, 'Unable to list multicast groups', groupsTable, options, ctx);
}
