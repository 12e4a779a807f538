import type { MapSpec } from '../../bpf/kernel/objects.ts';
import * as s from '../../bpf/layouts/structs.ts';

type Spec = Omit<MapSpec, 'name'>;
type Sized = { readonly size: number };

const NO_PREALLOC = 1;
/** Programs may only read it. */
const READ_ONLY_PROGRAM = 128;

function spec(type: Spec['type'], key: Sized, value: Sized, maxEntries: number, flags = 0): Spec {
  return { type, keySize: key.size, valueSize: value.size, maxEntries, flags };
}

/** Room in the tables of connections. Nodes have a few hundred thousand, which would take 150 MB for nothing here. */
export const CONNECTIONS = 16_384;
/** Room in maps whose memory is taken when they are made. */
const PREALLOCATED = 4096;

/**
 * The maps that a lab pins: types, sizes and flags of an agent 1.20. Capacities are those of a node only where an
 * empty map takes no memory.
 */
export const MAP_SPECS: Readonly<Record<string, Spec>> = {
  cilium_auth_map: spec('hash', s.authKey, s.authInfo, 16_384, NO_PREALLOC),
  cilium_ct4_global: spec('lru_hash', s.tuple4, s.ctEntry, CONNECTIONS),
  cilium_ct6_global: spec('lru_hash', s.tuple6, s.ctEntry, CONNECTIONS),
  cilium_ct_any4_global: spec('lru_hash', s.tuple4, s.ctEntry, CONNECTIONS),
  cilium_ct_any6_global: spec('lru_hash', s.tuple6, s.ctEntry, CONNECTIONS),
  cilium_ipcache_v2: spec(
    'lpm_trie',
    s.ipcacheKey,
    s.remoteEndpoint,
    512_000,
    NO_PREALLOC | READ_ONLY_PROGRAM,
  ),
  cilium_ipv4_frag_datagrams: spec('lru_hash', s.fragment4, s.fragmentPorts, PREALLOCATED),
  cilium_ipv6_frag_datagrams: spec('lru_hash', s.fragment6, s.fragmentPorts, PREALLOCATED),
  cilium_l2_responder_v4: spec('hash', s.l2Key4, s.l2Stats, 4096, NO_PREALLOC),
  cilium_l2_responder_v6: spec('hash', s.l2Key6, s.l2Stats, 4096, NO_PREALLOC),
  cilium_lb4_affinity: spec('lru_hash', s.affinityKey4, s.affinityValue, PREALLOCATED),
  cilium_lb4_backends_v3: spec('hash', s.backendId, s.backend4, PREALLOCATED),
  cilium_lb4_reverse_nat: spec('hash', s.revNatKey, s.revNat4, PREALLOCATED),
  cilium_lb4_reverse_sk: spec('lru_hash', s.socketTuple4, s.socketEntry4, PREALLOCATED),
  cilium_lb4_services_v2: spec('hash', s.serviceKey4, s.service, PREALLOCATED),
  cilium_lb4_source_range: spec('lpm_trie', s.sourceRange4, s.placeholder, 65_536, NO_PREALLOC),
  cilium_lb6_affinity: spec('lru_hash', s.affinityKey6, s.affinityValue, PREALLOCATED),
  cilium_lb6_backends_v3: spec('hash', s.backendId, s.backend6, PREALLOCATED),
  cilium_lb6_reverse_nat: spec('hash', s.revNatKey, s.revNat6, PREALLOCATED),
  cilium_lb6_reverse_sk: spec('lru_hash', s.socketTuple6, s.socketEntry6, PREALLOCATED),
  cilium_lb6_services_v2: spec('hash', s.serviceKey6, s.service, PREALLOCATED),
  cilium_lb6_source_range: spec('lpm_trie', s.sourceRange6, s.placeholder, 65_536, NO_PREALLOC),
  cilium_lb_affinity_match: spec('hash', s.affinityMatch, s.placeholder, PREALLOCATED),
  cilium_lxc: spec('hash', s.endpointKey, s.endpointInfo, PREALLOCATED),
  cilium_metrics: spec('percpu_hash', s.metricsKey, s.metricsValue, 1024),
  cilium_node_map_v2: spec('hash', s.nodeKey, s.nodeValue, 16_384, NO_PREALLOC),
  cilium_nodeport_neigh4: spec('lru_hash', s.neighbour4, s.macAddress, PREALLOCATED),
  cilium_nodeport_neigh6: spec('lru_hash', s.neighbour6, s.macAddress, PREALLOCATED),
  cilium_percpu_trace_id: spec('percpu_array', s.index32, s.value64, 1),
  cilium_policystats: spec('lru_percpu_hash', s.policyStatsKey, s.policyStats, PREALLOCATED),
  cilium_ratelimit: spec('lru_hash', s.rateKey, s.rateValue, 1024),
  cilium_ratelimit_metrics: spec('hash', s.rateMetricsKey, s.rateMetrics, 64),
  cilium_runtime_config: spec('array', s.index32, s.value64, 256),
  cilium_skip_lb4: spec('hash', s.skipLb4, s.placeholder, 100, NO_PREALLOC),
  cilium_skip_lb6: spec('hash', s.skipLb6, s.placeholder, 100, NO_PREALLOC),
  cilium_snat_v4_alloc_retries: spec('percpu_array', s.index32, s.counter32, 33),
  cilium_snat_v4_external: spec('lru_hash', s.tuple4, s.natEntry4, CONNECTIONS),
  cilium_snat_v6_alloc_retries: spec('percpu_array', s.index32, s.counter32, 33),
  cilium_snat_v6_external: spec('lru_hash', s.tuple6, s.natEntry6, CONNECTIONS),
};

/** The policy map of each endpoint. */
export const POLICY_SPEC: Spec = spec(
  'lpm_trie',
  s.policyKey,
  s.policyEntry,
  16_384,
  NO_PREALLOC | READ_ONLY_PROGRAM,
);

/** Pin of an endpoint's policy map. */
export function policyMapName(endpoint: number): string {
  return `cilium_policy_v2_${String(endpoint).padStart(5, '0')}`;
}
