import type { Command } from 'commander';
import { subscriberKey } from '../../../../bpf/layouts/multicast.ts';
import { encode } from '../../../../bpf/maps/codec.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { openGroups, openSubscribers } from '../maps.ts';
import { parseSubscriber } from './add.ts';

/** Declares `bpf multicast subscriber delete`. */
export function addBpfMulticastSubscriberDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf multicast subscriber delete 239.255.0.1 10.244.1.9 --dry-run'),
  );
  writeFlags(
    command
      .argument('<group>', 'IPv4 address of a multicast group')
      .argument('<subscriber-address>', 'internal address of the node that subscribes'),
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
  const key = encode(subscriberKey, { source: parseSubscriber(address) });
  using groups = openGroups(ctx);
  using subscribers = openSubscribers(groups, group, { write: !options.dryRun });
  if (!subscribers.lookup(key))
    throw new UserError(
      `Failed to delete subscriber ${address} from multicast group ${group}: it is not in the group`,
    );
  if (await mayWrite(ctx, `take ${address} out of the multicast group ${group}`, options))
    subscribers.delete(key);
}
