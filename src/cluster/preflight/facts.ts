import type { Release } from '../../model/release.ts';

/** The oldest kernel that agents of a release and later ones run on. */
export const KERNELS: readonly { since: Release; kernel: readonly [number, number, number]; el8: number }[] =
  [
    // RHEL 8 has a 4.18 with parts of newer kernels: the build from which on it counts as new enough.
    { since: '1.18', kernel: [5, 10, 0], el8: 553 },
    { since: '1.16', kernel: [5, 4, 0], el8: 372 },
    { since: '1.14', kernel: [4, 19, 57], el8: 0 },
    { since: '1.9', kernel: [4, 9, 17], el8: 0 },
  ];

/** What a release no longer has of the kinds of `cilium.io`. */
export const GONE_KINDS: readonly { plural: string; gone: Release; instead: string }[] = [
  {
    plural: 'ciliumbgppeeringpolicies',
    gone: '1.19',
    instead: 'CiliumBGPClusterConfig, CiliumBGPPeerConfig and CiliumBGPAdvertisement',
  },
  { plural: 'ciliumexternalworkloads', gone: '1.18', instead: 'nothing: the feature is gone' },
];

/** Versions of kinds that a release deprecates, or no longer has. */
export const OLD_VERSIONS: readonly {
  plural: string;
  version: string;
  deprecated: Release;
  gone?: Release;
}[] = [
  ...[
    'ciliumbgpadvertisements',
    'ciliumbgpclusterconfigs',
    'ciliumbgpnodeconfigoverrides',
    'ciliumbgpnodeconfigs',
    'ciliumbgppeerconfigs',
    'ciliumcidrgroups',
  ].map((plural) => ({ plural, version: 'v2alpha1', deprecated: '1.18' as const })),
  { plural: 'ciliumloadbalancerippools', version: 'v2alpha1', deprecated: '1.19' },
  { plural: 'ciliumnodeconfigs', version: 'v2alpha1', deprecated: '1.16', gone: '1.20' },
];
