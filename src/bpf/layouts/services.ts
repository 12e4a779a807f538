/** Load balancing: services, backends, affinity, Maglev tables, sockets (`bpf lb`, `bpf socknat`). */
import { innerMap, setMember } from './common.ts';
import { mapLayout } from './map-layout.ts';
import { be16, bit, hex, ipv4, ipv6, struct, u8, u16, u32, u64 } from './struct.ts';

export const serviceKey4 = struct(12, {
  address: ipv4(0),
  port: be16(4),
  slot: u16(6),
  protocol: u8(8),
  scope: u8(9),
});
export const serviceKey6 = struct(24, {
  address: ipv6(0),
  port: be16(16),
  slot: u16(18),
  protocol: u8(20),
  scope: u8(21),
});
/** Scope of a service that only traffic of the cluster reaches. */
export const INTERNAL_SCOPE = 1;
/** `word` is a backend id behind slot 0; in slot 0 the affinity timeout, or the L7 proxy's port (swapped). */
export const serviceEntry = struct(12, {
  word: u32(0),
  count: u16(4),
  revNatId: be16(6),
  flags: u16(8),
  quarantined: u16(10),
});
/** Bits of a service's flags, the two bytes joined. Those that are used for two things have both names. */
export const SERVICE_FLAG = {
  externalIps: 0x0001,
  nodePort: 0x0002,
  localScope: 0x0004,
  hostPort: 0x0008,
  affinity: 0x0010,
  loadBalancer: 0x0020,
  routable: 0x0040,
  sourceRange: 0x0080,
  localRedirect: 0x0100,
  nat46x64: 0x0200,
  l7: 0x0400,
  loopbackOrDelegate: 0x0800,
  internalLocal: 0x1000,
  twoScopes: 0x2000,
  quarantinedOrDeny: 0x4000,
  dsr: 0x8000,
} as const;
export const SERVICES4 = mapLayout('services', {
  pins: ['cilium_lb4_services_v2'],
  key: serviceKey4,
  value: serviceEntry,
});
export const SERVICES6 = mapLayout('services', {
  pins: ['cilium_lb6_services_v2'],
  key: serviceKey6,
  value: serviceEntry,
});

/** States of a backend by number. */
export const BACKEND_STATES = ['active', 'terminating', 'quarantined', 'maintenance'];
export const backendId = struct(4, { backendId: u32(0) });
const backendIdV1 = struct(2, { backendId: u16(0) });
const backendOld4 = struct(8, { address: ipv4(0), port: be16(4), protocol: u8(6), state: u8(7) });
const backendOld6 = struct(20, { address: ipv6(0), port: be16(16), protocol: u8(18), state: u8(19) });
export const backend4 = struct(12, { ...backendOld4.fields, clusterId: u16(8), zone: u8(10) });
export const backend6 = struct(24, { ...backendOld6.fields, clusterId: u16(20), zone: u8(22) });
/** Newer agents may leave the maps of older ones behind. */
export const BACKENDS4 = mapLayout(
  'services',
  { pins: ['cilium_lb4_backends_v3'], key: backendId, value: backend4 },
  { pins: ['cilium_lb4_backends_v2'], key: backendId, value: backendOld4 },
  { pins: ['cilium_lb4_backends'], key: backendIdV1, value: backendOld4 },
);
export const BACKENDS6 = mapLayout(
  'services',
  { pins: ['cilium_lb6_backends_v3'], key: backendId, value: backend6 },
  { pins: ['cilium_lb6_backends_v2'], key: backendId, value: backendOld6 },
  { pins: ['cilium_lb6_backends'], key: backendIdV1, value: backendOld6 },
);

export const revNatKey = struct(2, { revNatId: be16(0) });
export const revNat4 = struct(6, { address: ipv4(0), port: be16(4) });
export const revNat6 = struct(18, { address: ipv6(0), port: be16(16) });
export const REV_NAT4 = mapLayout('services', {
  pins: ['cilium_lb4_reverse_nat'],
  key: revNatKey,
  value: revNat4,
});
export const REV_NAT6 = mapLayout('services', {
  pins: ['cilium_lb6_reverse_nat'],
  key: revNatKey,
  value: revNat6,
});

const affinityValue = struct(16, { lastUsed: u64(0), backendId: u32(8) });
export const AFFINITY4 = mapLayout('services', {
  pins: ['cilium_lb4_affinity'],
  key: struct(16, { client: hex(0, 8), revNatId: be16(8), isCookie: bit(10, 1) }),
  value: affinityValue,
});
export const AFFINITY6 = mapLayout('services', {
  pins: ['cilium_lb6_affinity'],
  key: struct(24, { client: hex(0, 16), revNatId: be16(16), isCookie: bit(18, 1) }),
  value: affinityValue,
});
export const AFFINITY_MATCH = mapLayout('services', {
  pins: ['cilium_lb_affinity_match'],
  key: struct(8, { backendId: u32(0), revNatId: be16(4) }),
  value: setMember,
});

/** Bits of a prefix length that stand before those of the address. */
export const SOURCE_RANGE_STATIC_BITS = 32;
const sourceRange4 = struct(12, { prefixLength: u32(0), revNatId: be16(4), ip: ipv4(8) });
const sourceRange6 = struct(24, { prefixLength: u32(0), revNatId: be16(4), ip: ipv6(8) });
export const SOURCE_RANGES4 = mapLayout('services', {
  pins: ['cilium_lb4_source_range'],
  key: sourceRange4,
  value: setMember,
});
export const SOURCE_RANGES6 = mapLayout('services', {
  pins: ['cilium_lb6_source_range'],
  key: sourceRange6,
  value: setMember,
});

export const MAGLEV = mapLayout('services', {
  pins: ['cilium_lb4_maglev', 'cilium_lb6_maglev'],
  key: revNatKey,
  value: innerMap,
});

export const socketTuple4 = struct(16, { cookie: u64(0), address: ipv4(8), port: be16(12) });
export const socketTuple6 = struct(32, { cookie: u64(0), address: ipv6(8), port: be16(24) });
export const SOCKETS4 = mapLayout('socket-lb', {
  pins: ['cilium_lb4_reverse_sk'],
  key: socketTuple4,
  value: struct(8, { address: ipv4(0), port: be16(4), revNatId: be16(6) }),
});
export const SOCKETS6 = mapLayout('socket-lb', {
  pins: ['cilium_lb6_reverse_sk'],
  key: socketTuple6,
  value: struct(20, { address: ipv6(0), port: be16(16), revNatId: be16(18) }),
});

const socketCookie = struct(8, { cookie: u64(0) });
export const HEALTH4 = mapLayout('services', {
  pins: ['cilium_lb4_health'],
  key: socketCookie,
  value: backend4,
});
export const HEALTH6 = mapLayout('services', {
  pins: ['cilium_lb6_health'],
  key: socketCookie,
  value: backend6,
});

export const SKIP_LB4 = mapLayout('local-redirect', {
  pins: ['cilium_skip_lb4'],
  key: struct(16, { netnsCookie: u64(0), address: ipv4(8), port: be16(12) }),
  value: setMember,
});
export const SKIP_LB6 = mapLayout('local-redirect', {
  pins: ['cilium_skip_lb6'],
  key: struct(32, { netnsCookie: u64(0), address: ipv6(8), port: be16(28) }),
  value: setMember,
});

const serviceZone = struct(4, { revNatId: be16(0), zone: u8(2) });
export const ACTIVE_CONNECTIONS = mapLayout('services', {
  pins: ['cilium_lb_act'],
  key: serviceZone,
  value: struct(8, { opened: u32(0), closed: u32(4) }),
});
export const FAILED_CONNECTIONS = mapLayout('services', {
  pins: ['cilium_lb_fct'],
  key: serviceZone,
  value: struct(4, { failed: u32(0) }),
});
