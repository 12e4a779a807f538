import type { Command } from 'commander';
import type { BpfMap } from '../../../../bpf/kernel/objects.ts';
import { SUBSCRIBERS } from '../../../../bpf/layouts/multicast.ts';
import { readRecords } from '../../../../bpf/maps/records.ts';
import { printStructs, TEXT } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../../cli/list.ts';
import type { Context } from '../../../../context.ts';
import { compareNatural } from '../../../../lib/order.ts';
import type { Table } from '../../../../render/text/blocks.ts';
import { openGroups, openSubscribers, readGroups } from '../maps.ts';

interface GroupSubscribers {
  group_address: string;
  subscribers: { SAddr: string; Ifindex: number; IsRemote: boolean }[];
}

/** Declares `bpf multicast subscriber list`. */
export function addBpfMulticastSubscriberListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf multicast subscriber list all',
      'cilium bpf multicast subscriber list 239.255.0.1 -o json',
    ),
  );
  command.argument('<group>', 'address of a group, or all');
  listVerb(command, ctx, (flags, here) => runBpfMulticastSubscriberList(command.args[0] ?? '', flags, here));
}

/** Prints who receives what is sent to a group, or to each of them. */
export async function runBpfMulticastSubscriberList(
  group: string,
  options: ListFlags,
  ctx: Context,
): Promise<void> {
  using groups = openGroups(ctx);
  const names = group === 'all' ? (await readGroups(groups)).map((entry) => entry.group) : [group];
  const all: GroupSubscribers[] = [];
  for (const name of names)
    all.push({ group_address: name, subscribers: await readSubscribers(groups, name) });
  if (options.output !== '')
    return await printStructs(ctx, all, {
      ...options,
      nil: true,
      fields: { group_address: TEXT, SAddr: TEXT },
    });
  await printTable(ctx, options, subscriberTable(all));
}

async function readSubscribers(groups: BpfMap, group: string): Promise<GroupSubscribers['subscribers']> {
  using map = openSubscribers(groups, group);
  return (await readRecords(map, SUBSCRIBERS))
    .map(({ value }) => ({ SAddr: value.source, Ifindex: value.ifindex, IsRemote: value.remote }))
    .sort((a, b) => compareNatural(a.SAddr, b.SAddr));
}

/** A group stands on the line of its first subscriber. */
function subscriberTable(groups: readonly GroupSubscribers[]): Table {
  const blocks = groups.map(({ group_address: group, subscribers }) => ({
    key: group,
    lines:
      subscribers.length === 0
        ? [`${group}\t`]
        : subscribers.map((entry, i) => {
            const type = entry.IsRemote ? 'Remote Node' : 'Local Endpoint';
            return `${i === 0 ? group : ''}\t${entry.SAddr}\t${type}\t`;
          }),
  }));
  return { headers: ['Group\tSubscriber\tType\t'], blocks, stop: { minWidth: 16, padding: 0 } };
}
