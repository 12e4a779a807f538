/** Multicast groups and who gets their packets (`bpf multicast`). */
import { innerMap } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { bit, ipv4, struct, u32 } from './struct.ts';

export const groupKey = struct(4, { group: ipv4(0) });
export const MULTICAST_GROUPS = mapLayout('multicast', {
  pins: ['cilium_mcast_group_outer_v4_map'],
  key: groupKey,
  value: innerMap,
});
export const subscriberKey = struct(4, { source: ipv4(0) });
export const subscriber = struct(12, { source: ipv4(0), ifindex: u32(4), remote: bit(11, 0xff) });
/** Inner map of a group. */
export const SUBSCRIBERS = mapLayout('multicast', {
  pins: ['cilium_mcast_subscriber_v4_inner'],
  key: subscriberKey,
  value: subscriber,
});
