/** Policy maps of the endpoints, their counters, and authentication (`bpf policy`, `bpf auth`). */
import { mapLayout } from './map-layout.ts';
import { be16, type RecordOf, struct, u8, u16, u32, u64 } from './struct.ts';

/** Bits of a prefix length that stand before those of protocol and port. */
export const POLICY_STATIC_BITS = 40;
/** Flags of an entry; the wildcards are of agents up to 1.16, later ones keep the length of the prefix above them. */
export const POLICY_FLAG = { deny: 1, wildcardProtocol: 2, wildcardPort: 4 } as const;
/** The bits of `auth` that are a type; the highest says that a rule asks for it. */
export const AUTH_TYPE_MASK = 0x7f;
export const AUTH_TYPES = ['disabled', 'spire', 'test-always-fail'];
export const POLICY_DIRECTIONS = ['Ingress', 'Egress'];

export const policyKey = struct(12, {
  prefixLength: u32(0),
  identity: u32(4),
  direction: u8(8),
  protocol: u8(9),
  port: be16(10),
});
export const policyEntry = struct(12, {
  proxyPort: be16(0),
  flags: u8(2),
  auth: u8(3),
  precedence: u32(4),
  cookie: u32(8),
});
export const policyEntry116 = struct(24, {
  proxyPort: be16(0),
  flags: u8(2),
  auth: u8(3),
  packets: u64(8),
  bytes: u64(16),
});
export const policyEntry117 = struct(24, { ...policyEntry116.fields, proxyPortPriority: u8(4) });
/** Of 1.18, whose counters are in a map of their own. */
export const policyEntry118 = struct(8, {
  proxyPort: be16(0),
  flags: u8(2),
  auth: u8(3),
  proxyPortPriority: u8(4),
});
/** Up to 1.13 the map is a hash, whose entries stand for one port or for any. */
export const policyKey113 = struct(8, {
  identity: u32(0),
  port: be16(4),
  protocol: u8(6),
  direction: u8(7),
});
/** Up to 1.12 there is no authentication; 1.13 keeps its type, which its command line shows in JSON alone. */
export const policyEntry112 = struct(24, {
  proxyPort: be16(0),
  flags: u8(2),
  packets: u64(8),
  bytes: u64(16),
});
export const policyEntry113 = struct(24, { ...policyEntry112.fields, authType: u8(3) });

const v1 = ['cilium_policy_{endpoint}', 'cilium_policy_reserved_{n}'];
const v2 = ['cilium_policy_v2_{endpoint}', 'cilium_policy_v2_reserved_{n}'];
const v3 = ['cilium_policy_v3_{endpoint}', 'cilium_policy_v3_reserved_{n}'];
export const POLICY = mapLayout(
  'policy',
  { pins: [...v3, ...v2], key: policyKey, value: policyEntry },
  { pins: v2, key: policyKey, value: policyEntry118 },
  { pins: v2, key: policyKey, value: policyEntry117 },
  { pins: v1, key: policyKey, value: policyEntry116, wildcards: true },
  { pins: v1, key: policyKey113, value: policyEntry113, since: '1.13-dev' },
  { pins: v1, key: policyKey113, value: policyEntry112 },
);
export type PolicyVariant = (typeof POLICY)['variants'][number];

/** One entry of an endpoint's policy map. Keys without a prefix length get the one that says the same. */
export interface PolicyMapEntry {
  key: RecordOf<typeof policyKey>;
  value: RecordOf<PolicyVariant['value']>;
  /** Undefined where the datapath counts nothing for the entry. */
  counters: RecordOf<typeof policyStats> | undefined;
}

/** The entries of a policy map, and in which layout they are. */
export interface PolicyMapDump {
  variant: PolicyVariant;
  entries: PolicyMapEntry[];
}

/** Counters of the entries of all policy maps; up to 1.17 the entries have their own. */
export const policyStatsKey = struct(12, {
  endpointId: u16(0),
  prefixLength: u8(3),
  identity: u32(4),
  direction: u8(8),
  protocol: u8(9),
  port: be16(10),
});
export const policyStats = struct(16, { packets: u64(0), bytes: u64(8) });
export const POLICY_STATS = mapLayout('policy', {
  pins: ['cilium_policystats'],
  key: policyStatsKey,
  value: policyStats,
});

export const AUTH = mapLayout('auth', {
  pins: ['cilium_auth_map'],
  key: struct(12, { localIdentity: u32(0), remoteIdentity: u32(4), remoteNodeId: u16(8), authType: u8(10) }),
  // Time since 1970 in units of 512 ns.
  value: struct(8, { expiration: u64(0) }),
});
