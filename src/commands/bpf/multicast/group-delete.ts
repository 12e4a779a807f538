import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { openGroups, parseGroup } from './maps.ts';

/** Declares `bpf multicast group delete`. */
export function addBpfMulticastGroupDeleteCommand(parent: Command, ctx: Context): Command {
  return writeFlags(
    parent.command('delete').alias('del').description('Delete a multicast group').argument('<group>'),
  ).action((group: string, options: WriteOptions) => runBpfMulticastGroupDelete(group, options, ctx));
}

/** Deletes a group with its subscribers. */
export async function runBpfMulticastGroupDelete(
  group: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  requireRoot('cilium bpf multicast group delete', ctx.uid);
  const key = parseGroup(group);
  using groups = openGroups(ctx, { write: !options.dryRun });
  if (!groups.lookup(key)) throw new UserError(`Error deleting multicast group: ${group} does not exist`);
  if (await mayWrite(ctx, `delete the multicast group ${group} and its subscribers`, options))
    groups.delete(key);
}
