import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { openGroups, openSubscribers } from './maps.ts';
import { parseSubscriber } from './subscriber-add.ts';

/** Declares `bpf multicast subscriber delete`. */
export function addBpfMulticastSubscriberDeleteCommand(parent: Command, ctx: Context): Command {
  return writeFlags(
    parent
      .command('delete')
      .alias('del')
      .description('Delete a subscriber from the multicast group')
      .argument('<group>')
      .argument('<subscriber-address>'),
  ).action((group: string, address: string, options: WriteOptions) =>
    runBpfMulticastSubscriberDelete(group, address, options, ctx),
  );
}

/** Takes a subscriber out of a group. */
export async function runBpfMulticastSubscriberDelete(
  group: string,
  address: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  requireRoot('cilium bpf multicast subscriber delete', ctx.uid);
  const key = parseSubscriber(address);
  using groups = openGroups(ctx);
  using subscribers = openSubscribers(groups, group, { write: !options.dryRun });
  if (!subscribers.lookup(key))
    throw new UserError(
      `Failed to delete subscriber ${address} from multicast group ${group}: it is not in the group`,
    );
  if (await mayWrite(ctx, `take ${address} out of the multicast group ${group}`, options))
    subscribers.delete(key);
}
