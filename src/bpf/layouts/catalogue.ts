import { atLeast, type Release } from '../../model/release.ts';
import type { Layout } from './fields.ts';
import * as s from './structs.ts';

/** One layout that a map may have. */
export interface Shape {
  key: Layout<Record<string, unknown>>;
  value: Layout<Record<string, unknown>>;
  /** First release that writes it; needed where an older shape, which comes after it, has the same sizes. */
  since?: Release;
}

/** A map that some release of the agent pins. */
export interface KnownMap {
  id: string;
  /** Matches the whole name of the pin. A group `endpoint` holds the endpoint's number. */
  pattern: RegExp;
  /** What the map is for. */
  feature: string;
  shapes: readonly Shape[];
}

type AnyLayout = Layout<Record<string, unknown>>;

function shape(key: AnyLayout, value: AnyLayout, since?: Release): Shape {
  return since ? { key, value, since } : { key, value };
}

const ENDPOINT = '(?<endpoint>\\d{5})';

function known(id: string, name: string, feature: string, ...shapes: Shape[]): KnownMap {
  return { id, pattern: new RegExp(`^${name}$`), feature, shapes };
}

const program = shape(s.index32, s.programId);
const ct4 = [shape(s.tuple4, s.ctEntry, '1.18'), shape(s.tuple4, s.ctEntry117)];
const ct6 = [shape(s.tuple6, s.ctEntry, '1.18'), shape(s.tuple6, s.ctEntry117)];

/** Every pinned map by the name of its pin. */
export const KNOWN_MAPS: readonly KnownMap[] = [
  known(
    'lxc',
    'cilium_lxc',
    'endpoints',
    shape(s.endpointKey, s.endpointInfo, '1.18'),
    shape(s.endpointKey, s.endpointInfo117),
  ),
  known(
    'ipcache',
    'cilium_ipcache(_v2)?',
    'ipcache',
    shape(s.ipcacheKey, s.remoteEndpoint),
    shape(s.ipcacheKey, s.remoteEndpoint117),
  ),
  known(
    'node',
    'cilium_node_map(_v2)?',
    'nodes',
    shape(s.nodeKey, s.nodeValue),
    shape(s.nodeKey, s.nodeValueV1),
  ),
  known('tunnel', 'cilium_tunnel_map', 'tunnel', shape(s.tunnelKey117, s.tunnelValue117)),
  known('encrypt', 'cilium_encrypt_state', 'ipsec', shape(s.index32, s.encryptConfig)),
  known('subnet', 'cilium_subnet_map', 'routing', shape(s.subnetKey, s.subnetValue)),
  known('vtep', 'cilium_vtep_map', 'vtep', shape(s.vtepKey, s.vtepValue)),
  known('world-cidrs', 'cilium_world_cidrs4', 'ipcache', shape(s.prefix4, s.placeholder)),
  known('policy-stats', 'cilium_policystats', 'policy', shape(s.policyStatsKey, s.policyStats)),
  known(
    'policy',
    `cilium_policy_(v2_)?(${ENDPOINT}|reserved_\\d+)`,
    'policy',
    shape(s.policyKey, s.policyEntry),
    shape(s.policyKey, s.policyEntry117),
  ),
  known('policy-calls', 'cilium_(egress)?call_policy', 'policy', program),
  known('calls-host', `cilium_calls_hostns_${ENDPOINT}`, 'programs', program),
  known('calls-device', 'cilium_calls_(netdev|overlay|wireguard|xdp)_\\d+', 'programs', program),
  known('calls', `cilium_calls_(custom_)?${ENDPOINT}`, 'programs', program),
  known('auth', 'cilium_auth_map', 'auth', shape(s.authKey, s.authInfo)),
  known('ct4', 'cilium_ct(_any)?4_global', 'conntrack', ...ct4),
  known('ct6', 'cilium_ct(_any)?6_global', 'conntrack', ...ct6),
  known('ct4-local', `cilium_ct(_any)?4_${ENDPOINT}`, 'conntrack', ...ct4),
  known('ct6-local', `cilium_ct(_any)?6_${ENDPOINT}`, 'conntrack', ...ct6),
  known('ct4-cluster', 'cilium_per_cluster_ct_(tcp|any)4_\\d+', 'conntrack', ...ct4),
  known('ct6-cluster', 'cilium_per_cluster_ct_(tcp|any)6_\\d+', 'conntrack', ...ct6),
  known('ct-clusters', 'cilium_per_cluster_ct_(tcp|any)[46]', 'conntrack', shape(s.clusterIndex, s.innerMap)),
  known('nat4', 'cilium_snat_v4_external', 'nat', shape(s.tuple4, s.natEntry4)),
  known('nat6', 'cilium_snat_v6_external', 'nat', shape(s.tuple6, s.natEntry6)),
  known('nat4-cluster', 'cilium_per_cluster_snat_v4_external_\\d+', 'nat', shape(s.tuple4, s.natEntry4)),
  known('nat6-cluster', 'cilium_per_cluster_snat_v6_external_\\d+', 'nat', shape(s.tuple6, s.natEntry6)),
  known('nat-clusters', 'cilium_per_cluster_snat_v[46]_external', 'nat', shape(s.clusterIndex, s.innerMap)),
  known('nat-retries', 'cilium_snat_v[46]_alloc_retries', 'nat', shape(s.index32, s.counter32)),
  known('ipmasq4', 'cilium_ipmasq_v4', 'masquerade', shape(s.prefix4, s.placeholder)),
  known('ipmasq6', 'cilium_ipmasq_v6', 'masquerade', shape(s.prefix6, s.placeholder)),
  known('frag4', 'cilium_ipv4_frag_datagrams', 'fragments', shape(s.fragment4, s.fragmentPorts)),
  known('frag6', 'cilium_ipv6_frag_datagrams', 'fragments', shape(s.fragment6, s.fragmentPorts)),
  known('neigh4', 'cilium_nodeport_neigh4', 'nodeport', shape(s.neighbour4, s.macAddress)),
  known('neigh6', 'cilium_nodeport_neigh6', 'nodeport', shape(s.neighbour6, s.macAddress)),
  known('services4', 'cilium_lb4_services_v2', 'services', shape(s.serviceKey4, s.service)),
  known('services6', 'cilium_lb6_services_v2', 'services', shape(s.serviceKey6, s.service)),
  known(
    'backends4',
    'cilium_lb4_backends(_v[23])?',
    'services',
    shape(s.backendId, s.backend4),
    shape(s.backendId, s.backendOld4),
    shape(s.backendIdV1, s.backendOld4),
  ),
  known(
    'backends6',
    'cilium_lb6_backends(_v[23])?',
    'services',
    shape(s.backendId, s.backend6),
    shape(s.backendId, s.backendOld6),
    shape(s.backendIdV1, s.backendOld6),
  ),
  known('revnat4', 'cilium_lb4_reverse_nat', 'services', shape(s.revNatKey, s.revNat4)),
  known('revnat6', 'cilium_lb6_reverse_nat', 'services', shape(s.revNatKey, s.revNat6)),
  known('affinity4', 'cilium_lb4_affinity', 'services', shape(s.affinityKey4, s.affinityValue)),
  known('affinity6', 'cilium_lb6_affinity', 'services', shape(s.affinityKey6, s.affinityValue)),
  known('affinity-match', 'cilium_lb_affinity_match', 'services', shape(s.affinityMatch, s.placeholder)),
  known('source-range4', 'cilium_lb4_source_range', 'services', shape(s.sourceRange4, s.placeholder)),
  known('source-range6', 'cilium_lb6_source_range', 'services', shape(s.sourceRange6, s.placeholder)),
  known('maglev', 'cilium_lb[46]_maglev', 'services', shape(s.revNatKey, s.innerMap)),
  known('socket-nat4', 'cilium_lb4_reverse_sk', 'socket-lb', shape(s.socketTuple4, s.socketEntry4)),
  known('socket-nat6', 'cilium_lb6_reverse_sk', 'socket-lb', shape(s.socketTuple6, s.socketEntry6)),
  known('health4', 'cilium_lb4_health', 'services', shape(s.socketCookie, s.backend4)),
  known('health6', 'cilium_lb6_health', 'services', shape(s.socketCookie, s.backend6)),
  known('skip-lb4', 'cilium_skip_lb4', 'local-redirect', shape(s.skipLb4, s.placeholder)),
  known('skip-lb6', 'cilium_skip_lb6', 'local-redirect', shape(s.skipLb6, s.placeholder)),
  known('lb-act', 'cilium_lb_act', 'services', shape(s.serviceZone, s.connections)),
  known('lb-fct', 'cilium_lb_fct', 'services', shape(s.serviceZone, s.failures)),
  known('metrics', 'cilium_metrics', 'metrics', shape(s.metricsKey, s.metricsValue)),
  known('runtime-config', 'cilium_runtime_config', 'config', shape(s.index32, s.value64)),
  known('events', 'cilium_(events|signals)', 'events'),
  known('ratelimit', 'cilium_ratelimit', 'events', shape(s.rateKey, s.rateValue)),
  known('ratelimit-metrics', 'cilium_ratelimit_metrics', 'events', shape(s.rateMetricsKey, s.rateMetrics)),
  known('trace-id', 'cilium_percpu_trace_id', 'events', shape(s.index32, s.value64)),
  known('xdp-scratch', 'cilium_xdp_scratch', 'programs', shape(s.index32, s.xdpScratch)),
  known(
    'bandwidth',
    'cilium_throttle',
    'bandwidth',
    shape(s.bandwidthKey, s.bandwidth, '1.18'),
    shape(s.bandwidthKey117, s.bandwidth117),
  ),
  known('egress4', 'cilium_egress_gw_policy_v4', 'egress-gateway', shape(s.egressKey4, s.egressEntry4)),
  known('egress6', 'cilium_egress_gw_policy_v6', 'egress-gateway', shape(s.egressKey6, s.egressEntry6)),
  known('srv6-vrf4', 'cilium_srv6_vrf_v4', 'srv6', shape(s.egressKey4, s.vrfId)),
  known('srv6-vrf6', 'cilium_srv6_vrf_v6', 'srv6', shape(s.egressKey6, s.vrfId)),
  known('srv6-policy4', 'cilium_srv6_policy_v4', 'srv6', shape(s.srv6PolicyKey4, s.segmentId)),
  known('srv6-policy6', 'cilium_srv6_policy_v6', 'srv6', shape(s.srv6PolicyKey6, s.segmentId)),
  known('srv6-sid', 'cilium_srv6_sid', 'srv6', shape(s.segmentId, s.vrfId)),
  known('multicast', 'cilium_mcast_group_outer_v4_map', 'multicast', shape(s.multicastGroup, s.innerMap)),
  known('subscribers', 'cilium_mcast_subscriber_v4_inner', 'multicast', shape(s.subscriberKey, s.subscriber)),
  known('l2-responder4', 'cilium_l2_responder_v4', 'l2', shape(s.l2Key4, s.l2Stats)),
  known('l2-responder6', 'cilium_l2_responder_v6', 'l2', shape(s.l2Key6, s.l2Stats)),
  known('prefilter4', 'cilium_cidr_v4_(fix|dyn)', 'prefilter', shape(s.prefix4, s.placeholder)),
  known('prefilter6', 'cilium_cidr_v6_(fix|dyn)', 'prefilter', shape(s.prefix6, s.placeholder)),
  known('capture4', 'cilium_capture4_rules', 'recorder', shape(s.captureRule4, s.captureValue)),
  known('capture6', 'cilium_capture6_rules', 'recorder', shape(s.captureRule6, s.captureValue)),
  known('capture-cache', 'cilium_capture_cache', 'recorder', shape(s.index32, s.captureCache)),
  known('ktime-cache', 'cilium_ktime_cache', 'recorder', shape(s.index32, s.value64)),
];

/** The map that a pin of this name is; undefined for a name of no release. */
export function knownMap(name: string): KnownMap | undefined {
  return KNOWN_MAPS.find(({ pattern }) => pattern.test(name));
}

/** The endpoint that a pin of this name belongs to. */
export function endpointOf(name: string): number | undefined {
  const number = knownMap(name)?.pattern.exec(name)?.groups?.endpoint;
  return number === undefined ? undefined : Number(number);
}

/** Picks the layout by the sizes that the kernel reports, then by release. */
export function shapeOf(
  map: KnownMap,
  sizes: { keySize: number; valueSize: number },
  release: Release,
): Shape | undefined {
  const fitting = map.shapes.filter(
    ({ key, value }) => key.size === sizes.keySize && value.size === sizes.valueSize,
  );
  return fitting.find((s) => s.since === undefined || atLeast(release, s.since)) ?? fitting[0];
}
