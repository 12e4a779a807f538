import { atLeast, type Release } from '../../../model/release.ts';
import type { ClusterObjects } from './cluster-objects.ts';

/** Peers of the cluster that CIDR rules select beside the addresses outside: the agent's option of this name. */
export type CidrMatchMode = readonly ('nodes' | 'pods')[];

/** What rules refer to and only the cluster knows. */
export interface Surroundings {
  /** Name of the cluster that `cluster` means; undefined when it is not known. */
  clusterName: string | undefined;
  /** Addresses of both families are in use. Undefined: not known. */
  dualStack?: boolean | undefined;
  release?: Release;
  /** The release is assumed: what others do otherwise is not known. */
  assumed?: boolean;
  /** Which peers of the cluster CIDR rules select. Undefined: not known. */
  cidrMatchMode?: CidrMatchMode | undefined;
  /** The rule was written as a Kubernetes object, in whose selectors the agent puts what is left unsaid. */
  ofObject?: boolean;
  /** The object is a ClusterNetworkPolicy. */
  ofClusterPolicy?: boolean;
  /** The object is a NetworkPolicy, of this namespace. */
  ofNetworkPolicy?: string | undefined;
  /** The agent's option `policy-default-local-cluster`, which 1.18 has off and 1.19 on by default. Undefined: not known. */
  defaultLocalCluster?: boolean | undefined;
  /** CIDR groups and services. */
  objects?: ClusterObjects;
  /** Agents ask the rules of a namespace for its pods only, as released 1.17 and later ones do. */
  byNamespace?: boolean;
}

/** Whether the release is known and is this one or a newer one. */
export function reaches({ release }: Surroundings, first: Release): boolean {
  return release !== undefined && atLeast(release, first);
}
