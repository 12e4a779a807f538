import { atLeast, NEWEST_RELEASE, type Release } from '../model/release.ts';

/** Maps that have other names in older releases: the newest name, and what each name begins with. */
const NAMES: Readonly<Record<string, readonly (readonly [since: Release, name: string])[]>> = {
  cilium_ipcache_v2: [
    ['1.18', 'cilium_ipcache_v2'],
    ['1.9', 'cilium_ipcache'],
  ],
  cilium_lb4_backends_v3: backends(4),
  cilium_lb6_backends_v3: backends(6),
  cilium_node_map_v2: [
    ['1.16', 'cilium_node_map_v2'],
    ['1.13', 'cilium_node_map'],
  ],
};

function backends(family: 4 | 6): (readonly [Release, string])[] {
  const name = `cilium_lb${family}_backends`;
  return [
    ['1.13', `${name}_v3`],
    ['1.11', `${name}_v2`],
    ['1.9', name],
  ];
}

/** Maps that came with a release. */
const SINCE: Readonly<Record<string, Release>> = {
  cilium_auth_map: '1.14',
  cilium_ipv6_frag_datagrams: '1.18',
  cilium_l2_responder_v4: '1.14',
  cilium_l2_responder_v6: '1.19',
  cilium_percpu_trace_id: '1.19',
  cilium_policystats: '1.18',
  cilium_ratelimit: '1.16',
  cilium_ratelimit_metrics: '1.16',
  cilium_runtime_config: '1.14',
  cilium_skip_lb4: '1.16',
  cilium_skip_lb6: '1.16',
  cilium_snat_v4_alloc_retries: '1.18',
  cilium_snat_v6_alloc_retries: '1.18',
};

/** What agents of a release call the map of that newest name; undefined where they have none. */
export function pinName(newest: string, release: Release = NEWEST_RELEASE): string | undefined {
  const names = NAMES[newest];
  if (names) return names.find(([since]) => atLeast(release, since))?.[1];
  return atLeast(release, SINCE[newest] ?? release) ? newest : undefined;
}

/** What agents of a release call the policy map of an endpoint. */
export function policyPinName(endpoint: number, release: Release = NEWEST_RELEASE): string {
  const version = atLeast(release, '1.20') ? 'v3_' : atLeast(release, '1.17') ? 'v2_' : '';
  return `cilium_policy_${version}${String(endpoint).padStart(5, '0')}`;
}
