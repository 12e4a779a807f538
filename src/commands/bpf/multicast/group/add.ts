import type { Command } from 'commander';
import { MULTICAST_GROUPS } from '../../../../bpf/layouts/multicast.ts';
import { requireRoom, requireVariant } from '../../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { createSubscribers, openGroups, parseGroup } from '../maps.ts';

/** Declares `bpf multicast group add`. */
export function addBpfMulticastGroupAddCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf multicast group add 239.255.0.1 --dry-run'));
  writeFlags(command.argument('<group>', 'IPv4 address of a multicast group')).action(
    (group: string, options: WriteOptions) => runBpfMulticastGroupAdd(group, options, ctx),
  );
}

/** Adds a group without subscribers. One that exists is left alone: its subscribers would be lost. */
export async function runBpfMulticastGroupAdd(
  group: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = parseGroup(group);
  using groups = openGroups(ctx, { write: !options.dryRun });
  requireVariant(groups, MULTICAST_GROUPS);
  if (groups.lookup(key)) throw new UserError(`Error adding multicast group: ${group} exists already`);
  await requireRoom(groups, [key]);
  if (!(await mayWrite(ctx, `add the multicast group ${group}`, { ...options, yes: true }))) return;
  using subscribers = createSubscribers();
  groups.updateObject(key, subscribers);
}
