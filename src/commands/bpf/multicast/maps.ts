import { type BpfMap, createMap, openMapById } from '../../../bpf/kernel/objects.ts';
import { innerMap } from '../../../bpf/layouts/common.ts';
import {
  groupKey,
  MULTICAST_GROUPS,
  SUBSCRIBERS,
  subscriber,
  subscriberKey,
} from '../../../bpf/layouts/multicast.ts';
import { decode, encode } from '../../../bpf/maps/codec.ts';
import { openPinned, readRecords, requireVariant } from '../../../bpf/maps/records.ts';
import { ipv4Argument } from '../../../cli/addresses.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';

const MAX_SUBSCRIBERS = 1024;

/** Opens the map of groups. */
export function openGroups(ctx: Context, options: { write?: boolean } = {}): BpfMap {
  const map = openPinned(ctx.globals.bpfRoot, MULTICAST_GROUPS, options);
  if (map) return map;
  throw new UserError('failed to get multicast bpf map: multicast not enabled', {
    hint: 'The agent pins it with multicast-enabled=true.',
  });
}

/** The key of a group. */
export function parseGroup(text: string): Buffer {
  const group = ipv4Argument(text);
  const key = group === undefined ? Buffer.of() : encode(groupKey, { group });
  if (((key[0] ?? 0) & 0xf0) === 0xe0) return key;
  throw new UserError(`invalid multicast IP: ${text}`, { hint: 'Expected an address within 224.0.0.0/4.' });
}

/** Groups by address; the value is the id of the map of subscribers. */
export async function readGroups(map: BpfMap): Promise<{ group: string; mapId: number }[]> {
  const groups = (await readRecords(map, MULTICAST_GROUPS)).map(({ key, value }) => ({
    group: key.group,
    mapId: value.mapId,
  }));
  const order = (ip: string) => ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return groups.sort((a, b) => order(a.group) - order(b.group));
}

/** Opens the subscribers of a group. */
export function openSubscribers(groups: BpfMap, group: string, options: { write?: boolean } = {}): BpfMap {
  const key = parseGroup(group);
  requireVariant(groups, MULTICAST_GROUPS);
  const raw = groups.lookup(key);
  if (!raw)
    throw new UserError(`failed to lookup multicast group ${group}: there is no such group`, {
      hint: `Add it with "cilium bpf multicast group add ${group}".`,
    });
  const subscribers = openMapById(decode(innerMap, raw).mapId, options);
  requireVariant(subscribers, SUBSCRIBERS);
  return subscribers;
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
