/** Address translation: NAT entries, ranges that are not masqueraded, fragments (`bpf nat`, `ipmasq`, `frag`). */
import { clusterIndex, counter32, index32, innerMap, prefix4, prefix6, setMember } from './common.ts';
import { tuple4, tuple6 } from './conntrack.ts';
import { mapLayout } from './map-layout.ts';
import { be16, be32, ipv4, ipv6, pad, struct, u8, u64 } from './struct.ts';

const head = { created: u64(0), needsCt: u64(8), pad1: pad(16, 8), pad2: pad(24, 8) };
export const natEntry4 = struct(40, { ...head, address: ipv4(32), port: be16(36) });
export const natEntry6 = struct(56, { ...head, address: ipv6(32), port: be16(48) });
const head112 = { created: u64(0), hostLocal: u64(8), pad1: pad(16, 8), pad2: pad(24, 8) };
export const natEntry112v4 = struct(40, { ...head112, address: ipv4(32), port: be16(36) });
export const natEntry112v6 = struct(56, { ...head112, address: ipv6(32), port: be16(48) });

const pins4 = ['cilium_snat_v4_external', 'cilium_per_cluster_snat_v4_external_{n}'];
export const NAT4 = mapLayout(
  'nat',
  { pins: pins4, key: tuple4, value: natEntry4, since: '1.13' },
  { pins: pins4, key: tuple4, value: natEntry112v4 },
);
const pins6 = ['cilium_snat_v6_external', 'cilium_per_cluster_snat_v6_external_{n}'];
export const NAT6 = mapLayout(
  'nat',
  { pins: pins6, key: tuple6, value: natEntry6, since: '1.13' },
  { pins: pins6, key: tuple6, value: natEntry112v6 },
);
export const NAT_CLUSTERS = mapLayout('nat', {
  pins: ['cilium_per_cluster_snat_v4_external', 'cilium_per_cluster_snat_v6_external'],
  key: clusterIndex,
  value: innerMap,
});
/** Histogram of how often a port had to be tried anew. */
export const NAT_RETRIES = mapLayout('nat', {
  pins: ['cilium_snat_v4_alloc_retries', 'cilium_snat_v6_alloc_retries'],
  key: index32,
  value: counter32,
});

export const IPMASQ4 = mapLayout('masquerade', {
  pins: ['cilium_ipmasq_v4'],
  key: prefix4,
  value: setMember,
});
export const IPMASQ6 = mapLayout('masquerade', {
  pins: ['cilium_ipmasq_v6'],
  key: prefix6,
  value: setMember,
});

const fragmentPorts = struct(4, { sourcePort: be16(0), destinationPort: be16(2) });
export const FRAGMENTS4 = mapLayout('fragments', {
  pins: ['cilium_ipv4_frag_datagrams'],
  key: struct(12, { destination: ipv4(0), source: ipv4(4), id: be16(8), protocol: u8(10) }),
  value: fragmentPorts,
});
export const FRAGMENTS6 = mapLayout('fragments', {
  pins: ['cilium_ipv6_frag_datagrams'],
  key: struct(40, { id: be32(0), protocol: u8(4), source: ipv6(8), destination: ipv6(24) }),
  value: fragmentPorts,
});
