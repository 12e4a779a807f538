import { POD_CLUSTER } from '../../../model/label.ts';
import { AGGREGATE_IDS, type AggregateName } from '../../../model/reserved-identity.ts';
import type { Identities, Identity } from '../selectors/identities.ts';

/**
 * The identity under which the datapath looks a peer up a second time, besides its own. Up to 1.19 that is 0 for all;
 * from 1.20 on there is one for each kind of peer, which only stands for itself.
 */
export type AggregateOf = (identity: number) => number;

export const EVERYBODY = 0;

/** Up to 1.19. */
export const aggregateOfAll: AggregateOf = () => EVERYBODY;

/** The entries that a policy for every peer needs from 1.20 on. */
export const ALL_AGGREGATES: readonly number[] = [EVERYBODY, ...Object.values(AGGREGATE_IDS)];

/** Identities below are reserved, and stand under 0. */
const FIRST_ALLOCATED = 100;
const LOCAL_SCOPE = 1;
const REMOTE_NODE_SCOPE = 2;

/** From 1.20 on: by the scope of the number, and by the cluster of those that clusters share. */
export function aggregateByKind(identities: Identities, clusterName: string | undefined): AggregateOf {
  const ownCluster = clusterNumber(identities, clusterName);
  return (id) => {
    if (ALL_AGGREGATES.includes(id)) return id;
    if (id < FIRST_ALLOCATED) return EVERYBODY;
    const scope = id >>> 24;
    if (scope === REMOTE_NODE_SCOPE) return AGGREGATE_IDS['aggregate-remote-node'];
    if (scope === LOCAL_SCOPE) return AGGREGATE_IDS['aggregate-world'];
    return AGGREGATE_IDS[clusterKind(identities.get(id), id, clusterName, ownCluster)];
  };
}

function clusterKind(
  identity: Identity | undefined,
  id: number,
  clusterName: string | undefined,
  ownCluster: number,
): AggregateName {
  const label = identity && clusterOf(identity);
  const own = label === undefined ? id >>> 16 === ownCluster : label === clusterName;
  return own ? 'aggregate-cluster' : 'aggregate-cluster-mesh';
}

function clusterOf(identity: Identity): string | undefined {
  return identity.byKey.get(POD_CLUSTER)?.value;
}

/** The number of the own cluster, from an identity that is labelled with its name. */
function clusterNumber(identities: Identities, clusterName: string | undefined): number {
  for (const identity of identities.all.values())
    if (identity.id >= FIRST_ALLOCATED && identity.id >>> 24 === 0 && clusterOf(identity) === clusterName)
      return identity.id >>> 16;
  return 0;
}
