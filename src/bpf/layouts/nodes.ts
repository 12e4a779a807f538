/** Nodes and how they are reached: node ids, tunnels, encryption, VTEPs, announced addresses. */
import { index32 } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { bit, ipOfFamily, ipv4, ipv6, mac, struct, u8, u16, u32, u64 } from './struct.ts';

export const nodeKey = struct(20, { ip: ipOfFamily(4, 3) });
export const nodeValue = struct(4, { id: u16(0), spi: u8(2) });
/** From the last patches of 1.12 to 1.15, and beside the newer one up to 1.17: without the index of the IPsec key. */
export const nodeValue115 = struct(2, { id: u16(0) });
export const NODES = mapLayout(
  'nodes',
  { pins: ['cilium_node_map_v2'], key: nodeKey, value: nodeValue },
  { pins: ['cilium_node_map'], key: nodeKey, value: nodeValue115 },
);

/** Up to 1.17. */
const tunnelPins = ['cilium_tunnel_map'];
const tunnelEnd = struct(20, { ip: ipOfFamily(0, 16), encryptKey: u8(17) });
const tunnelKey114 = struct(20, { ip: ipOfFamily(0, 16), clusterId: u8(17) });
export const TUNNEL = mapLayout(
  'tunnel',
  {
    pins: tunnelPins,
    key: struct(20, { ip: ipOfFamily(0, 16), clusterId: u16(18) }),
    value: tunnelEnd,
    since: '1.15',
  },
  { pins: tunnelPins, key: tunnelKey114, value: tunnelEnd, since: '1.13' },
  { pins: tunnelPins, key: tunnelEnd, value: tunnelEnd, since: '1.13-dev' },
  { pins: tunnelPins, key: tunnelKey114, value: tunnelEnd, since: '1.12' },
  { pins: tunnelPins, key: tunnelEnd, value: tunnelEnd },
);
/** Devices of the node that the datapath runs on, since 1.20; `l3` ones have no MAC. */
export const DEVICES = mapLayout('devices', {
  pins: ['cilium_devices'],
  key: struct(4, { ifindex: u32(0) }),
  value: struct(16, { mac: mac(0), l3: bit(8, 1) }),
});
export const ENCRYPT = mapLayout('ipsec', {
  pins: ['cilium_encrypt_state'],
  key: index32,
  value: struct(1, { encryptKey: u8(0) }),
});
export const SUBNETS = mapLayout('routing', {
  pins: ['cilium_subnet_map'],
  key: struct(24, { prefixLength: u32(0), ip: ipOfFamily(8, 7) }),
  value: struct(4, { identity: u32(0) }),
});
export const vtepKey = struct(4, { ip: ipv4(0) });
export const VTEP = mapLayout('vtep', {
  pins: ['cilium_vtep_map'],
  key: vtepKey,
  value: struct(16, { mac: mac(0), tunnelEndpoint: ipv4(8) }),
});

const l2Stats = struct(8, { responses: u64(0) });
export const L2_RESPONDER4 = mapLayout('l2', {
  pins: ['cilium_l2_responder_v4'],
  key: struct(8, { ip: ipv4(0), ifindex: u32(4) }),
  value: l2Stats,
});
export const L2_RESPONDER6 = mapLayout('l2', {
  pins: ['cilium_l2_responder_v6'],
  key: struct(24, { ip: ipv6(0), ifindex: u32(16) }),
  value: l2Stats,
});

const macAddress = struct(8, { mac: mac(0) });
export const NEIGHBOURS4 = mapLayout('nodeport', {
  pins: ['cilium_nodeport_neigh4'],
  key: struct(4, { ip: ipv4(0) }),
  value: macAddress,
});
export const NEIGHBOURS6 = mapLayout('nodeport', {
  pins: ['cilium_nodeport_neigh6'],
  key: struct(16, { ip: ipv6(0) }),
  value: macAddress,
});
