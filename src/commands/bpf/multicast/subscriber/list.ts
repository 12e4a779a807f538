import type { Command } from 'commander';
import type { BpfMap } from '../../../../bpf/kernel/objects.ts';
import { SUBSCRIBERS } from '../../../../bpf/layouts/multicast.ts';
import { readRecords } from '../../../../bpf/maps/records.ts';
import { printStructs } from '../../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../../cli/output.ts';
import type { Context } from '../../../../context.ts';
import { compareNatural } from '../../../../lib/order.ts';
import { tabulate } from '../../../../render/text/table.ts';
import { openGroups, openSubscribers, readGroups } from '../maps.ts';

interface GroupSubscribers {
  group_address: string;
  subscribers: { SAddr: string; Ifindex: number; IsRemote: boolean }[];
}

/** Declares `bpf multicast subscriber list`. */
export function addBpfMulticastSubscriberListCommand(command: Command, ctx: Context): void {
  command
    .argument('<group>', 'address of a group, or all')
    .addOption(outputOption())
    .action((group: string, options: OutputFlag) => runBpfMulticastSubscriberList(group, options, ctx));
}

/** Prints who receives what is sent to a group, or to each of them. */
export async function runBpfMulticastSubscriberList(
  group: string,
  options: OutputFlag,
  ctx: Context,
): Promise<void> {
  using groups = openGroups(ctx);
  const names = group === 'all' ? (await readGroups(groups)).map((entry) => entry.group) : [group];
  const all: GroupSubscribers[] = [];
  for (const name of names)
    all.push({ group_address: name, subscribers: await readSubscribers(groups, name) });
  if (options.output !== '') return await printStructs(ctx, all, options);
  await ctx.out.write(renderSubscribers(all));
}

async function readSubscribers(groups: BpfMap, group: string): Promise<GroupSubscribers['subscribers']> {
  using map = openSubscribers(groups, group);
  return (await readRecords(map, SUBSCRIBERS))
    .map(({ value }) => ({ SAddr: value.source, Ifindex: value.ifindex, IsRemote: value.remote }))
    .sort((a, b) => compareNatural(a.SAddr, b.SAddr));
}

/** A group stands on the line of its first subscriber. */
function renderSubscribers(groups: readonly GroupSubscribers[]): string {
  const lines = ['Group\tSubscriber\tType\t'];
  for (const { group_address: group, subscribers } of groups) {
    if (subscribers.length === 0) lines.push(`${group}\t`);
    subscribers.forEach((entry, i) => {
      const type = entry.IsRemote ? 'Remote Node' : 'Local Endpoint';
      lines.push(`${i === 0 ? group : ''}\t${entry.SAddr}\t${type}\t`);
    });
  }
  return tabulate(`${lines.join('\n')}\n`, { minWidth: 16, padding: 0 });
}
