import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { subscriber, subscriberKey } from '../../../../bpf/layouts/multicast.ts';
import { encode } from '../../../../bpf/maps/codec.ts';
import { requireRoom } from '../../../../bpf/maps/records.ts';
import { ipv4Argument } from '../../../../cli/addresses.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { errorMessage, UserError } from '../../../../errors.ts';
import { openGroups, openSubscribers } from '../maps.ts';

const TUNNEL_DEVICE = 'cilium_vxlan';

/** Declares `bpf multicast subscriber add`. */
export function addBpfMulticastSubscriberAddCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf multicast subscriber add 239.255.0.1 10.244.1.9 --dry-run'),
  );
  writeFlags(
    command
      .argument('<group>', 'IPv4 address of a multicast group')
      .argument('<subscriber-address>', 'internal address of another node'),
  ).action((group: string, address: string, options: WriteOptions) =>
    runBpfMulticastSubscriberAdd(group, address, options, ctx),
  );
}

/** Adds another node to a group. Endpoints of this node join by themselves, with IGMP. */
export async function runBpfMulticastSubscriberAdd(
  group: string,
  address: string,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const source = parseSubscriber(address);
  const ifindex = readIfindex(TUNNEL_DEVICE);
  using groups = openGroups(ctx);
  using subscribers = openSubscribers(groups, group, { write: !options.dryRun });
  const key = encode(subscriberKey, { source });
  await requireRoom(subscribers, [key]);
  if (await mayWrite(ctx, `add ${address} to the multicast group ${group}`, { ...options, yes: true }))
    subscribers.update(key, encode(subscriber, { source, ifindex, remote: true }));
}

/** Parses the address of a subscriber. */
export function parseSubscriber(text: string): string {
  const ip = ipv4Argument(text);
  if (ip !== undefined) return ip;
  throw new UserError(`invalid subscriber address: ${text}`, { hint: 'Expected an IPv4 address.' });
}

function readIfindex(device: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'latin1'));
  } catch (error) {
    throw new UserError(`Failed to get ${device} device: ${errorMessage(error)}`, {
      hint: 'Multicast to other nodes needs the VXLAN tunnel (routing-mode=tunnel).',
      cause: error,
    });
  }
}
