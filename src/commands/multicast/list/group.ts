import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { askEach } from '../../../cli/kube/each-agent.ts';
import type { NodeGroups } from '../../../cluster/multicast.ts';
import type { Context } from '../../../context.ts';
import { openCluster } from '../../../kube/road.ts';
import { renderGroups } from '../../../render/cluster/multicast.ts';
import {
  addListFlags,
  failedAs,
  GROUPS,
  listIn,
  type MulticastOptions,
  multicast,
  printTold,
} from '../agents.ts';

/** Declares `multicast list group`. */
export function addMulticastListGroupCommand(command: Command, ctx: Context): void {
  addListFlags(command)
    .addHelpText('after', examples('cilium multicast list group', 'cilium multicast list group -o json'))
    .action((options: MulticastOptions) => runMulticastListGroup(options, ctx));
}

async function runMulticastListGroup(options: MulticastOptions, ctx: Context): Promise<void> {
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
  await printTold(
    told,
    { unable: 'Unable to list multicast groups', output: options.output },
    renderGroups,
    ctx,
  );
}
