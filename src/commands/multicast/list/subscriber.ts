import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { askEach } from '../../../cli/kube/each-agent.ts';
import { runList } from '../../../cli/list.ts';
import { type GroupSubscribers, IS_MISSING, type NodeSubscribers } from '../../../cluster/multicast.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { openCluster } from '../../../kube/road.ts';
import { subscribersTable } from '../../../render/cluster/multicast.ts';
import {
  addListFlags,
  failedAs,
  groupOf,
  groupOption,
  listIn,
  type MulticastListOptions,
  multicast,
  printTold,
  SUBSCRIBERS,
} from '../agents.ts';

interface SubscriberOptions extends MulticastListOptions {
  all?: boolean;
}

const UNABLE = 'Unable to list subscribers of the multicast group';

/** Declares `multicast list subscriber`. */
export function addMulticastListSubscriberCommand(command: Command, ctx: Context): void {
  command.addOption(groupOption()).option('--all', 'Show all subscribers');
  addListFlags(command)
    .addHelpText(
      'after',
      examples(
        'cilium multicast list subscriber --group-ip 239.255.0.1',
        'cilium multicast list subscriber --all -o json',
      ),
    )
    .action((options: SubscriberOptions) => runList(ctx, options, runMulticastListSubscriber, 'The cluster'));
}

async function runMulticastListSubscriber(options: SubscriberOptions, ctx: Context): Promise<void> {
  const { groupIp, all, output } = options;
  if (!groupIp && !all)
    throw new UserError(`${UNABLE}: group-ip or all flag must be specified`, {
      hint: 'One group: --group-ip 239.255.0.1. Each of them: --all',
    });
  if (groupIp && all) throw new UserError(`${UNABLE}: only one of group-ip or all flag must be specified`);
  const target = all ? 'all' : groupOf(groupIp, UNABLE);
  await using client = await openCluster(ctx);
  const missing: string[] = [];
  const told = await askEach(
    client,
    { waitMs: options.waitDuration },
    async (place): Promise<NodeSubscribers> => {
      const printed = await multicast(client, place, 'subscriber', 'list', target, '-o', 'json');
      if (printed.exitCode === 0) {
        const groups = listIn<GroupSubscribers>(printed, SUBSCRIBERS);
        return { node: place.node, groups: groups?.map(withSubscribers) ?? null };
      }
      if (!IS_MISSING.test(printed.stderr)) throw failedAs(printed);
      missing.push(place.node);
      return { node: place.node, groups: null };
    },
    ctx,
  );
  // Within JSON the sentence would be no JSON.
  const say = output === 'json' ? ctx.err : ctx.out;
  for (const node of missing.toSorted())
    await say.write(`Multicast group ${target} does not exist in ${node}\n`);
  await printTold(told, UNABLE, subscribersTable, options, ctx);
}

/** As Go writes it: a list that is missing is null. */
function withSubscribers({ group_address, subscribers = null }: GroupSubscribers): GroupSubscribers {
  return { group_address, subscribers };
}
