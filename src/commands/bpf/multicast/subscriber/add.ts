import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { subscriber } from '../../../../bpf/layouts/structs.ts';
import { ipv4Argument } from '../../../../cli/addresses.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import type { Context } from '../../../../context.ts';
import { errorMessage, UserError } from '../../../../errors.ts';
import { openGroups, openSubscribers } from '../maps.ts';

const TUNNEL_DEVICE = 'cilium_vxlan';
const REMOTE = 1;

/** Declares `bpf multicast subscriber add`. */
export function addBpfMulticastSubscriberAddCommand(command: Command, ctx: Context): void {
  writeFlags(
    command.argument('<group>').argument('<subscriber-address>', 'internal address of another node'),
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
  const key = parseSubscriber(address);
  const ifindex = readIfindex(TUNNEL_DEVICE);
  using groups = openGroups(ctx);
  using subscribers = openSubscribers(groups, group, { write: !options.dryRun });
  const value = Buffer.alloc(subscriber.size);
  key.copy(value, 0);
  value.writeUInt32LE(ifindex, 4);
  value[11] = REMOTE;
  if (await mayWrite(ctx, `add ${address} to the multicast group ${group}`, { ...options, yes: true }))
    subscribers.update(key, value);
}

/** Bytes of a subscriber's address. */
export function parseSubscriber(text: string): Buffer {
  const bytes = ipv4Argument(text);
  if (bytes) return bytes;
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
