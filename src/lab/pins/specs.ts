import type { MapSpec } from '../../bpf/kernel/objects.ts';
import { knownMap } from '../../bpf/layouts/catalogue.ts';
import type { MapLayout, Variant } from '../../bpf/layouts/map-layout.ts';
import { POLICY, type PolicyVariant } from '../../bpf/layouts/policy.ts';
import { atLeast, type Release } from '../../model/release.ts';

type Spec = Omit<MapSpec, 'name'>;

const NO_PREALLOC = 1;
/** Programs may only read it. */
const READ_ONLY_PROGRAM = 128;

/** A map of the newest layout. */
function spec(layout: MapLayout | undefined, type: Spec['type'], maxEntries: number, flags: number): Spec {
  const newest = layout?.variants[0];
  if (!newest) throw new Error('a map of the lab has no layout');
  return { type, keySize: newest.key.size, valueSize: newest.value.size, maxEntries, flags };
}

/** Room in the tables of connections. Nodes have a few hundred thousand, which would take 150 MB for nothing here. */
const CONNECTIONS = 16_384;
/** Room in maps whose memory is taken when they are made. */
const PREALLOCATED = 4096;

/**
 * The maps that a lab pins: types, sizes and flags of an agent 1.20. Capacities are those of a node only where an
 * empty map takes no memory.
 */
const MAPS: Readonly<Record<string, readonly [type: Spec['type'], maxEntries: number, flags?: number]>> = {
  cilium_auth_map: ['hash', 16_384, NO_PREALLOC],
  cilium_ct4_global: ['lru_hash', CONNECTIONS],
  cilium_ct6_global: ['lru_hash', CONNECTIONS],
  cilium_ct_any4_global: ['lru_hash', CONNECTIONS],
  cilium_ct_any6_global: ['lru_hash', CONNECTIONS],
  cilium_ipcache_v2: ['lpm_trie', 512_000, NO_PREALLOC | READ_ONLY_PROGRAM],
  cilium_ipv4_frag_datagrams: ['lru_hash', PREALLOCATED],
  cilium_ipv6_frag_datagrams: ['lru_hash', PREALLOCATED],
  cilium_l2_responder_v4: ['hash', 4096, NO_PREALLOC],
  cilium_l2_responder_v6: ['hash', 4096, NO_PREALLOC],
  cilium_lb4_affinity: ['lru_hash', PREALLOCATED],
  cilium_lb4_backends_v3: ['hash', PREALLOCATED],
  cilium_lb4_reverse_nat: ['hash', PREALLOCATED],
  cilium_lb4_reverse_sk: ['lru_hash', PREALLOCATED],
  cilium_lb4_services_v2: ['hash', PREALLOCATED],
  cilium_lb4_source_range: ['lpm_trie', 65_536, NO_PREALLOC],
  cilium_lb6_affinity: ['lru_hash', PREALLOCATED],
  cilium_lb6_backends_v3: ['hash', PREALLOCATED],
  cilium_lb6_reverse_nat: ['hash', PREALLOCATED],
  cilium_lb6_reverse_sk: ['lru_hash', PREALLOCATED],
  cilium_lb6_services_v2: ['hash', PREALLOCATED],
  cilium_lb6_source_range: ['lpm_trie', 65_536, NO_PREALLOC],
  cilium_lb_affinity_match: ['hash', PREALLOCATED],
  cilium_lxc: ['hash', PREALLOCATED],
  cilium_metrics: ['percpu_hash', 1024],
  cilium_node_map_v2: ['hash', 16_384, NO_PREALLOC],
  cilium_nodeport_neigh4: ['lru_hash', PREALLOCATED],
  cilium_nodeport_neigh6: ['lru_hash', PREALLOCATED],
  cilium_percpu_trace_id: ['percpu_array', 1],
  cilium_policystats: ['lru_percpu_hash', PREALLOCATED],
  cilium_ratelimit: ['lru_hash', 1024],
  cilium_ratelimit_metrics: ['hash', 64],
  cilium_runtime_config: ['array', 256],
  cilium_skip_lb4: ['hash', 100, NO_PREALLOC],
  cilium_skip_lb6: ['hash', 100, NO_PREALLOC],
  cilium_snat_v4_alloc_retries: ['percpu_array', 33],
  cilium_snat_v4_external: ['lru_hash', CONNECTIONS],
  cilium_snat_v6_alloc_retries: ['percpu_array', 33],
  cilium_snat_v6_external: ['lru_hash', CONNECTIONS],
};

/** What the kernel is asked for, by name of the pin. */
export const MAP_SPECS: Readonly<Record<string, Spec>> = Object.fromEntries(
  Object.entries(MAPS).map(([name, [type, maxEntries, flags = 0]]) => [
    name,
    spec(knownMap(name), type, maxEntries, flags),
  ]),
);

/** The first release of each form of policy maps, newest first. */
const POLICY_SINCE: readonly Release[] = ['1.19', '1.18', '1.17', '1.14', '1.13', '1.9'];

/** The form of policy maps that agents of a release write. */
export function policyVariant(release: Release): PolicyVariant {
  const found = POLICY.variants[POLICY_SINCE.findIndex((since) => atLeast(release, since))];
  if (!found) throw new Error(`policy maps have no form in ${release}`);
  return found;
}

/** The policy map of each endpoint; up to 1.13 it is a hash. */
export function policySpec(release: Release): Spec {
  const { key, value }: Variant = policyVariant(release);
  const trie = atLeast(release, '1.14');
  return {
    type: trie ? 'lpm_trie' : 'hash',
    keySize: key.size,
    valueSize: value.size,
    maxEntries: 16_384,
    flags: trie ? NO_PREALLOC | READ_ONLY_PROGRAM : NO_PREALLOC,
  };
}
