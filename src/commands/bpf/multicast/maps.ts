import { type BpfMap, createMap, openMapById } from '../../../bpf/kernel/objects.ts';
import { openGlobal } from '../../../bpf/kernel/pins.ts';
import { innerMap, multicastGroup, subscriber, subscriberKey } from '../../../bpf/layouts/structs.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { ipv4Argument } from '../../../cli/addresses.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';

const OUTER = 'cilium_mcast_group_outer_v4_map';
const MAX_SUBSCRIBERS = 1024;

/** Opens the map of groups. */
export function openGroups(ctx: Context, options: { write?: boolean } = {}): BpfMap {
  const map = openGlobal(ctx.globals.bpfRoot, OUTER, options);
  if (map) return map;
  throw new UserError('failed to get multicast bpf map: multicast not enabled', {
    hint: 'The agent pins it with multicast-enabled=true.',
  });
}

/** Bytes of a multicast group's address. */
export function parseGroup(text: string): Buffer {
  const bytes = ipv4Argument(text);
  if (bytes && ((bytes[0] ?? 0) & 0xf0) === 0xe0) return bytes;
  throw new UserError(`invalid multicast IP: ${text}`, { hint: 'Expected an address within 224.0.0.0/4.' });
}

/** Groups by address; the value is the id of the map of subscribers. */
export async function readGroups(map: BpfMap): Promise<{ group: string; mapId: number }[]> {
  const groups = (await readRecords(map, multicastGroup, innerMap)).map(({ key, value }) => ({
    group: key.group,
    mapId: value.mapId,
  }));
  const order = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return groups.sort((a, b) => order(a.group) - order(b.group));
}

/** Opens the subscribers of a group. */
export function openSubscribers(groups: BpfMap, group: string, options: { write?: boolean } = {}): BpfMap {
  const raw = groups.lookup(parseGroup(group));
  if (!raw)
    throw new UserError(`failed to lookup multicast group ${group}: there is no such group`, {
      hint: `Add it with "cilium bpf multicast group add ${group}".`,
    });
  return openMapById(innerMap.decode(raw).mapId, options);
}

/** Makes the map of subscribers of a new group. */
export function createSubscribers(): BpfMap {
  return createMap({
    type: 'hash',
    keySize: subscriberKey.size,
    valueSize: subscriber.size,
    maxEntries: MAX_SUBSCRIBERS,
    name: 'cilium_mcast_subscriber_v4_inner',
  });
}
