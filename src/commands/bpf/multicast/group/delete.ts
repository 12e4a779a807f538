import type { Command } from 'commander';
import { MULTICAST_GROUPS } from '../../../../bpf/layouts/multicast.ts';
import { requireVariant } from '../../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { openGroups, parseGroup } from '../maps.ts';

/** Declares `bpf multicast group delete`. */
export function addBpfMulticastGroupDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf multicast group delete 239.255.0.1 --dry-run'));
  writeFlags(command.argument('<group>', 'IPv4 address of a multicast group')).action(
    (group: string, options: WriteOptions) => runBpfMulticastGroupDelete(group, options, ctx),
  );
}

/** Deletes a group with its subscribers. */
export async function runBpfMulticastGroupDelete(
  group: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = parseGroup(group);
  using groups = openGroups(ctx, { write: !options.dryRun });
  requireVariant(groups, MULTICAST_GROUPS);
  if (!groups.lookup(key)) throw new UserError(`Error deleting multicast group: ${group} does not exist`);
  if (await mayWrite(ctx, `delete the multicast group ${group} and its subscribers`, options))
    groups.delete(key);
}
