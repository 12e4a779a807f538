import { atLeast, type Release } from '../../../model/release.ts';
import type { SourcedRule } from '../../rule.ts';
import type { ClusterObjects } from '../selectors/cluster-objects.ts';
import type { CidrMatchMode } from '../selectors/surroundings.ts';

/** Which identity an address or prefix has. */
export interface AddressOf {
  cidr: string;
  identity: number;
}

/** The agent's settings that change the meaning of rules. */
export interface Settings {
  /** `default`: only endpoints that a rule selects; `always`; `never`. */
  enforcement: 'default' | 'always' | 'never';
  /** The nodes' own traffic is subject to rules with a node selector. Undefined: not known. */
  hostFirewall: boolean | undefined;
  /** Agents read ClusterNetworkPolicy, which those of 1.20 do with an option. Undefined: not known. */
  clusterNetworkPolicy: boolean | undefined;
  /** Nodes have labels of their own, which a ClusterNetworkPolicy may select them by. Undefined: not known. */
  nodeLabels: boolean | undefined;
  /** Which peers of the cluster CIDR rules select. Undefined: not known. */
  cidrMatchMode: CidrMatchMode | undefined;
  /** Peers are of the own cluster unless they name one (agents from 1.19 on, by default). Undefined: not known. */
  defaultLocalCluster?: boolean | undefined;
  /** Pods accept connections from their node even without a rule (the agent's default under Kubernetes). */
  allowLocalhost: boolean;
  /** The release whose maps are computed, and whose way of handling CIDR exceptions is used. Undefined: not known. */
  release: Release | undefined;
  /** The agent is a build on the way to that release, true, or of it, false. Undefined: not known. */
  development?: boolean | undefined;
  /** Name of the cluster; undefined takes it from the identities' labels. */
  clusterName?: string;
  /** Addresses of both families are in use; undefined looks at the identities. */
  dualStack?: boolean;
  /** Addresses of nodes and pods, all of those of an identity that has one. */
  addresses?: readonly AddressOf[];
  /** CIDR groups and services that rules refer to. */
  objects?: ClusterObjects;
}

export const DEFAULT_SETTINGS: Settings = {
  enforcement: 'default',
  hostFirewall: undefined,
  clusterNetworkPolicy: undefined,
  nodeLabels: undefined,
  cidrMatchMode: undefined,
  allowLocalhost: false,
  release: undefined,
};

/** The release that is assumed where none is known. */
export const USUAL_RELEASE: Release = '1.17';

/** Agents on the way to a release whose maps were still those of the release before. */
const MAPS_BEFORE: Readonly<Record<Release, Release>> = { '1.14': '1.13', '1.17': '1.16' };

/** Releases of which it is an agent on the way to them whose maps were recorded. */
const RECORDED_BEFORE: ReadonlySet<Release> = new Set<Release>(['1.17']);

/**
 * The release whose maps agents of a release make. Where it is not known whether an agent is of the release or was built
 * on the way to it, its maps are those that were recorded.
 */
export function releaseOfMaps(release: Release, development: boolean | undefined): Release {
  const before = development ?? RECORDED_BEFORE.has(release);
  return (before ? MAPS_BEFORE[release] : undefined) ?? release;
}

/** The first release whose agents read ClusterNetworkPolicy, and whose CIDR rules can select pods. */
export const NEWEST_NEEDED: Release = '1.20';

/** Whether only agents from there on can have these settings. */
export function needsNewest({ clusterNetworkPolicy, cidrMatchMode }: Partial<Settings>): boolean {
  return clusterNetworkPolicy === true || cidrMatchMode?.includes('pods') === true;
}

/** Settings that decide which rules the agents have. */
export type Option = 'clusterNetworkPolicy' | 'nodeLabels';

/** What is said of an option that is not known. */
export const NOT_KNOWN: Readonly<Record<Option, string>> = {
  clusterNetworkPolicy:
    'whether the agents read ClusterNetworkPolicy is not known (--cluster-network-policy)',
  nodeLabels: 'whether the agents have the option enable-node-selector-labels is not known',
};

/** Whether agents with these settings have the rule, or the option that this rests on. `on` are options that are taken to be on. */
export function hasRule(
  settings: Settings,
  source: SourcedRule,
  on: readonly Option[] = [],
): boolean | Option {
  if (source.origin.kind !== 'ClusterNetworkPolicy') return true;
  const { release } = settings;
  if (release !== undefined && !atLeast(release, NEWEST_NEEDED)) return false;
  const needed: Option[] = [
    'clusterNetworkPolicy',
    ...(source.needsNodeLabels ? (['nodeLabels'] as const) : []),
  ];
  if (needed.some((option) => settings[option] === false)) return false;
  return needed.find((option) => !settings[option] && !on.includes(option)) ?? true;
}
