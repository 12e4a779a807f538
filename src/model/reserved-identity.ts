import { atLeast, NEWEST_RELEASE, type Release } from './release.ts';

/** Security identities that have a fixed number, by number. */
export const RESERVED_IDENTITIES: readonly string[] = [
  'unknown',
  'host',
  'world',
  'unmanaged',
  'health',
  'init',
  'remote-node',
  'kube-apiserver',
  'ingress',
  'world-ipv4',
  'world-ipv6',
  'overlay-to-encrypt',
];

/** Numbers of the reserved identities that rules and maps name, by name. */
export const RESERVED_IDS: Readonly<Record<string, number>> = Object.fromEntries(
  RESERVED_IDENTITIES.slice(1, 11).map((name, i) => [name, i + 1]),
);

/** Numbers of the identities that from 1.20 on stand in policy maps for all peers of a kind. No packet carries them. */
export const AGGREGATE_IDS = {
  'aggregate-cluster': 11,
  'aggregate-cluster-mesh': 12,
  'aggregate-world': 13,
  'aggregate-remote-node': 14,
} as const;
export type AggregateName = keyof typeof AGGREGATE_IDS;

const AGGREGATE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(AGGREGATE_IDS).map(([name, id]) => [id, name]),
);

/** The first release that has a reserved identity; those that are not named here are older than all. */
const SINCE: Readonly<Record<number, Release>> = {
  7: '1.11',
  8: '1.12',
  9: '1.15',
  10: '1.15',
  11: '1.16',
  12: '1.20',
  13: '1.20',
  14: '1.20',
};

/** Whether a release has the identity with this number. */
export function hasIdentity(release: Release, identity: number): boolean {
  const since = SINCE[identity];
  return since === undefined || atLeast(release, since);
}

/** A numeric identity as the tools of a release show it: the name that it has there, else the number. */
export function identityName(identity: number, release: Release = NEWEST_RELEASE): string {
  if (!hasIdentity(release, identity)) return String(identity);
  const aggregate = atLeast(release, '1.20') ? AGGREGATE_NAMES[identity] : undefined;
  return aggregate ?? RESERVED_IDENTITIES[identity] ?? String(identity);
}

/** Labels of a reserved identity. */
export function reservedLabels(name: string): string[] {
  return name === 'kube-apiserver'
    ? ['reserved:kube-apiserver', 'reserved:remote-node']
    : [`reserved:${name}`];
}
