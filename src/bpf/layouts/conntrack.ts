/** Connection tracking (`bpf ct`). */
import { clusterIndex, innerMap } from './common.ts';
import { mapLayout, type Variant } from './map-layout.ts';
import { be16, ipv4, ipv6, pad, type Struct, struct, u8, u16, u32, u64 } from './struct.ts';

/** As stored: in conntrack maps the addresses are exchanged against those of the packet, in NAT maps they are not. */
export const tuple4 = struct(14, {
  destination: ipv4(0),
  source: ipv4(4),
  destinationPort: be16(8),
  sourcePort: be16(10),
  protocol: u8(12),
  flags: u8(13),
});
export const tuple6 = struct(38, {
  destination: ipv6(0),
  source: ipv6(16),
  destinationPort: be16(32),
  sourcePort: be16(34),
  protocol: u8(36),
  flags: u8(37),
});
/** Bits of a tuple's flags. */
export const TUPLE_FLAG = { in: 1, related: 2, service: 4 } as const;

const common = {
  packets: u64(16),
  bytes: u64(24),
  lifetime: u32(32),
  flags: u16(36),
  revNatId: be16(38),
  txFlagsSeen: u8(42),
  rxFlagsSeen: u8(43),
  sourceIdentity: u32(44),
  lastTxReport: u32(48),
  lastRxReport: u32(52),
};
/** The first 16 bytes are a backend id in service entries and a NAT address in others. */
export const ctEntry = struct(56, {
  union0: pad(0, 16),
  backendId: u64(8),
  natAddress: ipv6(0),
  ...common,
  natPort: be16(40),
});
/** Of 1.18, which no longer keeps the interface. */
export const ctEntry118 = struct(56, { reserved0: pad(0, 8), backendId: u64(8), ...common });
export const ctEntry117 = struct(56, { ...ctEntry118.fields, ifindex: u16(40) });
/** Up to 1.15 either direction is counted by itself; in service entries `rxBytes` holds a backend id. */
export const ctEntry115 = struct(56, {
  rxPackets: u64(0),
  rxBytes: u64(8),
  txPackets: u64(16),
  txBytes: u64(24),
  lifetime: common.lifetime,
  flags: common.flags,
  revNatId: common.revNatId,
  ifindex: u16(40),
  txFlagsSeen: common.txFlagsSeen,
  rxFlagsSeen: common.rxFlagsSeen,
  sourceIdentity: common.sourceIdentity,
  lastTxReport: common.lastTxReport,
  lastRxReport: common.lastRxReport,
});

const flags110 = [
  'RxClosing',
  'TxClosing',
  'Nat64',
  'LBLoopback',
  'SeenNonSyn',
  'NodePort',
  'ProxyRedirect',
  'DSR',
];
const flags113 = [...flags110, 'FromL7LB', 'AuthRequired'];
const flags114 = [...flags110, 'FromL7LB', '', 'FromTunnel'];
/** Flags of an entry by bit; '' where a bit has no name but is known. */
export const CT_FLAGS = [...flags110.slice(0, 7), 'DSRInternal', 'FromL7LB', '', 'FromTunnel'];

/** How a release stores an entry, and how it names the flags. */
export interface ConntrackVariant<K extends Struct = Struct, V extends Struct = Struct>
  extends Variant<K, V> {
  flagWords: readonly string[];
}

/** The global tables, those of single endpoints (up to 1.17), and those of other clusters. */
function table<K extends Struct>(key: K, family: 4 | 6) {
  const pins = [
    `cilium_ct${family}_global`,
    `cilium_ct_any${family}_global`,
    `cilium_ct${family}_{endpoint}`,
    `cilium_ct_any${family}_{endpoint}`,
    `cilium_per_cluster_ct_tcp${family}_{n}`,
    `cilium_per_cluster_ct_any${family}_{n}`,
  ];
  return mapLayout<
    ConntrackVariant<K, typeof ctEntry | typeof ctEntry118 | typeof ctEntry117 | typeof ctEntry115>
  >(
    'conntrack',
    { pins, key, value: ctEntry, since: '1.19', flagWords: CT_FLAGS },
    { pins, key, value: ctEntry118, since: '1.18', flagWords: CT_FLAGS },
    { pins, key, value: ctEntry117, since: '1.16', flagWords: CT_FLAGS },
    { pins, key, value: ctEntry115, since: '1.14', flagWords: flags114 },
    { pins, key, value: ctEntry115, since: '1.13-dev', flagWords: flags113 },
    { pins, key, value: ctEntry115, flagWords: flags110 },
  );
}
export const CONNTRACK4 = table(tuple4, 4);
export const CONNTRACK6 = table(tuple6, 6);
export const CONNTRACK_CLUSTERS = mapLayout('conntrack', {
  pins: ['tcp4', 'any4', 'tcp6', 'any6'].map((kind) => `cilium_per_cluster_ct_${kind}`),
  key: clusterIndex,
  value: innerMap,
});
