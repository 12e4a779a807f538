/** The endpoints of the node by address (`bpf endpoint`). */
import { mapLayout } from './map-layout.ts';
import { ipOfFamily, mac, struct, u8, u16, u32 } from './struct.ts';

export const endpointKey = struct(20, { ip: ipOfFamily(0, 16), key: u8(17), clusterId: u16(18) });
const common = {
  ifindex: u32(0),
  endpointId: u16(6),
  flags: u32(8),
  mac: mac(16),
  nodeMac: mac(24),
  identity: u32(32),
};
export const endpointInfo117 = struct(48, { ...common, parentIfindex: u32(36) });
export const endpointInfo = struct(48, { ...endpointInfo117.fields, routeInfo: u32(12) });
/** Up to 1.13 the identity is padding, which is zero. */
export const endpointInfo116 = struct(48, common);

/** Flag of the node's own addresses. */
export const ENDPOINT_IS_HOST = 1;

const pins = ['cilium_lxc'];
export const ENDPOINTS = mapLayout(
  'endpoints',
  { pins, key: endpointKey, value: endpointInfo, since: '1.20' },
  { pins, key: endpointKey, value: endpointInfo117, since: '1.17' },
  { pins, key: endpointKey, value: endpointInfo116 },
);
