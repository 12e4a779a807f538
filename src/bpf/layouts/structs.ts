/**
 * Keys and values of the datapath's maps. `…117` is what agents up to 1.17 wrote where it differs. Which layout
 * a map has follows from the sizes that the kernel reports: see catalogue.ts.
 */
import { be16, be32, bit, hex, ipOfFamily, ipv4, ipv6, layout, mac, u8, u16, u32, u64 } from './fields.ts';

export const endpointKey = layout(20, { ip: ipOfFamily(0, 16), key: u8(17), clusterId: u16(18) });
export const endpointInfo = layout(48, {
  ifindex: u32(0),
  endpointId: u16(6),
  flags: u32(8),
  mac: mac(16),
  nodeMac: mac(24),
  identity: u32(32),
  parentIfindex: u32(36),
});
export const endpointInfo117 = layout(48, {
  ifindex: u32(0),
  endpointId: u16(6),
  flags: u32(8),
  mac: mac(16),
  nodeMac: mac(24),
  identity: u32(32),
});

export const ipcacheKey = layout(24, { prefixLength: u32(0), clusterId: u16(4), ip: ipOfFamily(8, 7) });
export const remoteEndpoint = layout(24, {
  identity: u32(0),
  // Bit 2 of the flags says whether the endpoint's tunnel is an IPv6 one.
  tunnelEndpoint: {
    get: (raw, base) => ((raw[base + 23] ?? 0) & 4 ? ipv6(4) : ipv4(4)).get(raw, base),
    put: (raw, base, ip: string) => (ip.includes(':') ? ipv6(4) : ipv4(4)).put(raw, base, ip),
  },
  encryptKey: u8(22),
  flags: u8(23),
});
export const remoteEndpoint117 = layout(12, {
  identity: u32(0),
  tunnelEndpoint: ipv4(4),
  encryptKey: u8(10),
  flags: u8(11),
});

export const nodeKey = layout(20, { ip: ipOfFamily(4, 3) });
export const nodeValue = layout(4, { id: u16(0), spi: u8(2) });
export const nodeValueV1 = layout(2, { id: u16(0) });
export const tunnelKey117 = layout(20, { ip: ipOfFamily(0, 16), clusterId: u16(18) });
export const tunnelValue117 = layout(20, { ip: ipOfFamily(0, 16), encryptKey: u8(17) });

export const policyKey = layout(12, {
  prefixLength: u32(0),
  identity: u32(4),
  direction: u8(8),
  protocol: u8(9),
  port: be16(10),
});
export const policyEntry = layout(12, {
  proxyPort: be16(0),
  flags: u8(2),
  auth: u8(3),
  precedence: u32(4),
  cookie: u32(8),
});
export const policyEntry117 = layout(24, {
  proxyPort: be16(0),
  flags: u8(2),
  auth: u8(3),
  packets: u64(8),
  bytes: u64(16),
});
export const policyStatsKey = layout(12, {
  endpointId: u16(0),
  prefixLength: u8(3),
  identity: u32(4),
  direction: u8(8),
  protocol: u8(9),
  port: be16(10),
});
export const policyStats = layout(16, { packets: u64(0), bytes: u64(8) });
export const authKey = layout(12, {
  localIdentity: u32(0),
  remoteIdentity: u32(4),
  remoteNodeId: u16(8),
  authType: u8(10),
});
/** Epoch time in units of 512 ns. */
export const authInfo = layout(8, { expiration: u64(0) });

export const index32 = layout(4, { index: u32(0) });
export const programId = layout(4, { programId: u32(0) });
export const counter32 = layout(4, { value: u32(0) });
export const value64 = layout(8, { value: u64(0) });
export const innerMap = layout(4, { mapId: u32(0) });
export const clusterIndex = layout(4, { clusterId: u32(0) });
export const placeholder = layout(1, {});

/** As stored: in conntrack maps the addresses are exchanged against those of the packet, in NAT maps not. */
export const tuple4 = layout(14, {
  destination: ipv4(0),
  source: ipv4(4),
  destinationPort: be16(8),
  sourcePort: be16(10),
  protocol: u8(12),
  flags: u8(13),
});
export const tuple6 = layout(38, {
  destination: ipv6(0),
  source: ipv6(16),
  destinationPort: be16(32),
  sourcePort: be16(34),
  protocol: u8(36),
  flags: u8(37),
});
const ctCommon = {
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
/** The first 16 bytes are a backend id for service entries and a NAT address for others. */
export const ctEntry = layout(56, { backendId: u64(8), natAddress: ipv6(0), ...ctCommon, natPort: be16(40) });
export const ctEntry117 = layout(56, { backendId: u64(8), ...ctCommon, ifindex: u16(40) });
export const natEntry4 = layout(40, { created: u64(0), needsCt: u64(8), address: ipv4(32), port: be16(36) });
export const natEntry6 = layout(56, { created: u64(0), needsCt: u64(8), address: ipv6(32), port: be16(48) });

export const prefix4 = layout(8, { prefixLength: u32(0), ip: ipv4(4) });
export const prefix6 = layout(20, { prefixLength: u32(0), ip: ipv6(4) });
export const fragment4 = layout(12, { destination: ipv4(0), source: ipv4(4), id: be16(8), protocol: u8(10) });
export const fragment6 = layout(40, { id: be32(0), protocol: u8(4), source: ipv6(8), destination: ipv6(24) });
export const fragmentPorts = layout(4, { sourcePort: be16(0), destinationPort: be16(2) });

export const serviceKey4 = layout(12, {
  address: ipv4(0),
  port: be16(4),
  slot: u16(6),
  protocol: u8(8),
  scope: u8(9),
});
export const serviceKey6 = layout(24, {
  address: ipv6(0),
  port: be16(16),
  slot: u16(18),
  protocol: u8(20),
  scope: u8(21),
});
/** `word` is a backend id behind slot 0; in slot 0 the affinity timeout, or the L7 proxy's port (swapped). */
export const service = layout(12, {
  word: u32(0),
  count: u16(4),
  revNatId: be16(6),
  flags: u16(8),
  quarantined: u16(10),
});
export const backendId = layout(4, { backendId: u32(0) });
export const backendIdV1 = layout(2, { backendId: u16(0) });
export const backend4 = layout(12, {
  address: ipv4(0),
  port: be16(4),
  protocol: u8(6),
  state: u8(7),
  clusterId: u16(8),
  zone: u8(10),
});
export const backend6 = layout(24, {
  address: ipv6(0),
  port: be16(16),
  protocol: u8(18),
  state: u8(19),
  clusterId: u16(20),
  zone: u8(22),
});
export const backendOld4 = layout(8, { address: ipv4(0), port: be16(4), protocol: u8(6), state: u8(7) });
export const backendOld6 = layout(20, { address: ipv6(0), port: be16(16), protocol: u8(18), state: u8(19) });
export const revNatKey = layout(2, { revNatId: be16(0) });
export const revNat4 = layout(6, { address: ipv4(0), port: be16(4) });
export const revNat6 = layout(18, { address: ipv6(0), port: be16(16) });
export const affinityKey4 = layout(16, { client: hex(0, 8), revNatId: be16(8), isCookie: bit(10, 1) });
export const affinityKey6 = layout(24, { client: hex(0, 16), revNatId: be16(16), isCookie: bit(18, 1) });
export const affinityValue = layout(16, { lastUsed: u64(0), backendId: u32(8) });
export const affinityMatch = layout(8, { backendId: u32(0), revNatId: be16(4) });
export const sourceRange4 = layout(12, { prefixLength: u32(0), revNatId: be16(4), ip: ipv4(8) });
export const sourceRange6 = layout(24, { prefixLength: u32(0), revNatId: be16(4), ip: ipv6(8) });
export const socketTuple4 = layout(16, { cookie: u64(0), address: ipv4(8), port: be16(12) });
export const socketEntry4 = layout(8, { address: ipv4(0), port: be16(4), revNatId: be16(6) });
export const socketTuple6 = layout(32, { cookie: u64(0), address: ipv6(8), port: be16(24) });
export const socketEntry6 = layout(20, { address: ipv6(0), port: be16(16), revNatId: be16(18) });
export const socketCookie = layout(8, { cookie: u64(0) });
export const skipLb4 = layout(16, { netnsCookie: u64(0), address: ipv4(8), port: be16(12) });
export const skipLb6 = layout(32, { netnsCookie: u64(0), address: ipv6(8), port: be16(28) });
export const serviceZone = layout(4, { revNatId: be16(0), zone: u8(2) });
export const connections = layout(8, { opened: u32(0), closed: u32(4) });
export const failures = layout(4, { failed: u32(0) });

export const metricsKey = layout(8, { reason: u8(0), direction: u8(1), line: u16(2), file: u8(4) });
export const metricsValue = layout(16, { packets: u64(0), bytes: u64(8) });
export const encryptConfig = layout(1, { encryptKey: u8(0) });
export const bandwidthKey = layout(8, { endpointId: u32(0), direction: u8(4) });
export const bandwidthKey117 = layout(8, { endpointId: u64(0) });
export const bandwidth = layout(56, {
  bytesPerSecond: u64(0),
  lastNs: u64(8),
  union0: u64(16),
  priority: u32(24),
});
export const bandwidth117 = layout(56, { bytesPerSecond: u64(0), lastNs: u64(8), horizonNs: u64(16) });
export const egressKey4 = layout(12, { prefixLength: u32(0), source: ipv4(4), destination: ipv4(8) });
export const egressEntry4 = layout(8, { egressIp: ipv4(0), gatewayIp: ipv4(4) });
export const egressKey6 = layout(36, { prefixLength: u32(0), source: ipv6(4), destination: ipv6(20) });
export const egressEntry6 = layout(40, { egressIp: ipv6(0), gatewayIp: ipv4(16), egressIfindex: u32(32) });
export const vrfId = layout(4, { vrfId: u32(0) });
export const srv6PolicyKey4 = layout(12, { prefixLength: u32(0), vrfId: u32(4), destination: ipv4(8) });
export const srv6PolicyKey6 = layout(24, { prefixLength: u32(0), vrfId: u32(4), destination: ipv6(8) });
export const segmentId = layout(16, { sid: ipv6(0) });
export const vtepKey = layout(4, { ip: ipv4(0) });
export const vtepValue = layout(16, { mac: mac(0), tunnelEndpoint: ipv4(8) });
export const l2Key4 = layout(8, { ip: ipv4(0), ifindex: u32(4) });
export const l2Key6 = layout(24, { ip: ipv6(0), ifindex: u32(16) });
export const l2Stats = layout(8, { responses: u64(0) });
export const rateKey = layout(8, { usage: u32(0), ifindex: u32(4) });
export const rateValue = layout(16, { lastTopupNs: u64(0), tokens: u64(8) });
export const rateMetricsKey = layout(4, { usage: u32(0) });
export const rateMetrics = layout(8, { dropped: u64(0) });
export const neighbour4 = layout(4, { ip: ipv4(0) });
export const neighbour6 = layout(16, { ip: ipv6(0) });
export const macAddress = layout(8, { mac: mac(0) });
export const subnetKey = layout(24, { prefixLength: u32(0), ip: ipOfFamily(8, 7) });
export const subnetValue = layout(4, { identity: u32(0) });
export const multicastGroup = layout(4, { group: ipv4(0) });
export const subscriberKey = layout(4, { source: ipv4(0) });
export const subscriber = layout(12, { source: ipv4(0), ifindex: u32(4), remote: bit(11, 1) });
export const captureRule4 = layout(16, {
  source: ipv4(0),
  destination: ipv4(4),
  sourcePort: be16(8),
  destinationPort: be16(10),
  protocol: u8(12),
  sourceBits: u8(13),
  destinationBits: u8(14),
  flags: u8(15),
});
export const captureRule6 = layout(40, {
  source: ipv6(0),
  destination: ipv6(16),
  sourcePort: be16(32),
  destinationPort: be16(34),
  protocol: u8(36),
  sourceBits: u8(37),
  destinationBits: u8(38),
  flags: u8(39),
});
export const captureValue = layout(8, { ruleId: u16(0), captureLength: u32(4) });
export const xdpScratch = layout(28, { slots: hex(0, 20), recirculation: u32(20), transfer: u32(24) });
export const captureCache = layout(6, { seen: u8(0), ruleId: u16(2), captureLength: u16(4) });
