import { type AddressRange, formatRange, parseRange, without, withoutZone } from '../../../lib/address.ts';
import { POD_CLUSTER, POD_NAMESPACE } from '../../../model/label.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import type { AggregateName } from '../../../model/reserved-identity.ts';
import { type LabelSelector, type Term, termsOf } from '../../../model/selector.ts';
import type { CidrRule, EgressPeers, Entity, FqdnSelector, IngressPeers } from '../../rule.ts';
import {
  type ClusterObjects,
  type ClusterService,
  groupsOf,
  noObjects,
  servicesOf,
} from './cluster-objects.ts';
import {
  type Among,
  type Bounds,
  canonical,
  fqdnSelector,
  type Insiders,
  labelSelector,
  NOBODY,
  type Selector,
  WILDCARD,
} from './selector.ts';

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

/** The selectors of a rule's peers. Undefined selects no peer (one of the lists is empty); an empty result selects every peer. */
export function ingressSelectors(
  peers: IngressPeers,
  requirements: readonly Term[],
  around: Surroundings,
): Selector[] | undefined {
  const { fromEndpoints, fromNodes, fromEntities, fromCIDR, fromCIDRSet } = peers;
  if (anyEmpty(around, fromEndpoints, fromNodes, fromEntities, fromCIDR, fromCIDRSet)) return undefined;
  return [
    ...(peers.fromEndpoints ?? []).map((selector) => peerSelector(selector, requirements, around)),
    ...(peers.fromNamespaces ?? []).map((selector) => labelSelector(selector, requirements)),
    ...(peers.fromNodes ?? []).flatMap((selector) => nodeSelectors(selector, around)),
    ...(peers.fromEntities ?? []).flatMap((entity) => entitySelectors(entity, around)),
    ...cidrSelectors(peers.fromCIDR ?? [], around),
    ...(peers.fromCIDRSet ?? []).flatMap((rule) => cidrRuleSelectors(rule, around)),
    ...(peers.fromCIDRSet?.length ? podsBesideBlocks(around) : []),
    ...unknownPeers(peers.fromGroups, 'fromGroups needs the cloud provider', 'outside'),
  ];
}

/** The same for egress. */
export function egressSelectors(
  peers: EgressPeers,
  requirements: readonly Term[],
  fqdns: readonly FqdnSelector[],
  around: Surroundings,
): Selector[] | undefined {
  const { toEndpoints, toNodes, toEntities, toCIDR, toCIDRSet } = peers;
  if (anyEmpty(around, toEndpoints, toNodes, toEntities, toCIDR, toCIDRSet)) return undefined;
  return [
    ...(peers.toEndpoints ?? []).map((selector) => peerSelector(selector, requirements, around)),
    ...(peers.toNamespaces ?? []).map((selector) => labelSelector(selector, requirements)),
    ...(peers.toNodes ?? []).flatMap((selector) => nodeSelectors(selector, around)),
    ...(peers.toEntities ?? []).flatMap((entity) => entitySelectors(entity, around)),
    ...cidrSelectors(peers.toCIDR ?? [], around),
    ...(peers.toCIDRSet ?? []).flatMap((rule) => cidrRuleSelectors(rule, around)),
    ...serviceSelectors(peers, around),
    ...unknownPeers(peers.toGroups, 'toGroups needs the cloud provider', 'outside'),
    ...(fqdns.length > 0 ? [NOBODY] : []),
    ...fqdns.map(fqdnSelector),
  ];
}

/** Of Kubernetes objects only peers of the own cluster, from 1.19 on, unless the selector says which cluster. */
function peerSelector(
  selector: LabelSelector,
  requirements: readonly Term[],
  around: Surroundings,
): Selector {
  const aboutReserved = termsOf(selector).some(({ source }) => source === 'reserved');
  const { terms, within } = aboutReserved ? NO_BOUNDS : ownCluster(selector, around);
  return bounded(labelSelector(selector, [...requirements, ...terms]), within);
}

/**
 * Agents of 1.19 take a block of addresses in the ingress of a NetworkPolicy for the pods of the policy's own namespace as
 * well, where peers are of the own cluster by default. Before and after they do not.
 */
function podsBesideBlocks(around: Surroundings): Selector[] {
  const { ofNetworkPolicy: namespace, defaultLocalCluster } = around;
  const faulty = reaches(around, '1.19') && !reaches(around, '1.20');
  if (namespace === undefined || !faulty || defaultLocalCluster === false) return [];
  const selector = { matchLabels: { [`k8s:${POD_NAMESPACE}`]: namespace } };
  if (defaultLocalCluster) return [peerSelector(selector, [], around)];
  const { terms } = ownCluster(selector, around);
  return [bounded(labelSelector(selector, terms), { everybody: true, why: LOCAL_CLUSTER_UNKNOWN })];
}

const LOCAL_CLUSTER_UNKNOWN =
  'whether agents of 1.19 take this ipBlock for the pods of its namespace, too, is not known: they do with policy-default-local-cluster on';

/** Of Kubernetes objects only other nodes, from 1.18 on; of a ClusterNetworkPolicy also the own one. */
function nodeSelectors(selector: LabelSelector, around: Surroundings): Selector[] {
  if (around.ofClusterPolicy)
    return ['remote-node', 'host'].map((kind) => nodeSelector(selector, around, kind));
  return [
    nodeSelector(selector, around, around.ofObject && reaches(around, '1.18') ? 'remote-node' : undefined),
  ];
}

function nodeSelector(selector: LabelSelector, around: Surroundings, kind: string | undefined): Selector {
  const reservedKind: Term[] =
    kind === undefined ? [] : [{ source: 'reserved', name: kind, operator: 'Exists', values: [] }];
  const own = ownCluster(selector, around);
  const terms = [...termsOf(selector), ...reservedKind, ...own.terms];
  const perhaps: Bounds | undefined =
    around.ofObject && around.assumed && kind === undefined
      ? {
          why: 'agents from 1.18 on select no other than remote nodes here (--release)',
          ...own.within,
          remoteNodes: true,
        }
      : own.within;
  return bounded({ kind: 'labels', key: `nodes ${canonical(terms)}`, terms, nodes: true }, perhaps);
}

interface ClusterBounds {
  terms: readonly Term[];
  within?: Bounds;
}

const NO_BOUNDS: ClusterBounds = { terms: [] };

function ownCluster(selector: LabelSelector, around: Surroundings): ClusterBounds {
  const { clusterName: name, ofObject, assumed, defaultLocalCluster } = around;
  const sure = reaches(around, '1.19') || (reaches(around, '1.18') && defaultLocalCluster === true);
  if (!ofObject || defaultLocalCluster === false || (!sure && !assumed)) return NO_BOUNDS;
  // Every peer of a NetworkPolicy, also those outside: the selectors of other objects name a namespace at least.
  if (termsOf(selector).length === 0) return NO_BOUNDS;
  const says = termsOf(selector).some(
    ({ source, name: key }) => key === POD_CLUSTER && (source === 'k8s' || source === 'any'),
  );
  if (says) return NO_BOUNDS;
  if (!sure)
    return {
      terms: [],
      within: {
        cluster: { name },
        why: 'agents from 1.19 on select only pods of the own cluster here (--release)',
      },
    };
  if (name === undefined) return { terms: [], within: { cluster: { name } } };
  return { terms: [{ source: 'k8s', name: POD_CLUSTER, operator: 'In', values: [name] }] };
}

type Labels = Extract<Selector, { kind: 'labels' }>;

function bounded(selector: Labels, within: Bounds | undefined): Labels {
  return within ? { ...selector, key: `${selector.key} within ${JSON.stringify(within)}`, within } : selector;
}

function reaches({ release }: Surroundings, first: Release): boolean {
  return release !== undefined && atLeast(release, first);
}

/** Up to 1.15 an empty list counts as absent. */
function anyEmpty({ release }: Surroundings, ...lists: (readonly unknown[] | undefined)[]): boolean {
  const counts = release === undefined || atLeast(release, '1.16');
  return counts && lists.some((list) => list?.length === 0);
}

function unknownPeers(list: readonly unknown[] | undefined, why: string, among: Among): Selector[] {
  return list?.length ? [{ kind: 'none', key: `none ${why}`, why, among }] : [];
}

function reserved(name: string): Selector {
  return labelSelector({ matchLabels: { [`reserved:${name}`]: '' } });
}

/** The reserved identities in entity `cluster`. */
const CLUSTER_ENTITIES = ['host', 'remote-node', 'init', 'ingress', 'health', 'unmanaged', 'kube-apiserver'];

/** The selectors that an entity stands for. */
function entitySelectors(entity: Entity, around: Surroundings): Selector[] {
  const aggregates = (...names: AggregateName[]) => (reaches(around, '1.20') ? names : []);
  switch (entity) {
    case 'all':
      return [WILDCARD];
    case 'none':
      return [NOBODY];
    case 'world':
      return ['world', 'world-ipv4', 'world-ipv6', ...aggregates('aggregate-world')].map(reserved);
    case 'remote-node':
      return ['remote-node', ...aggregates('aggregate-remote-node')].map(reserved);
    case 'cluster-mesh': {
      const pods = { matchExpressions: [{ key: `k8s:${POD_CLUSTER}`, operator: 'Exists' as const }] };
      const names = [...CLUSTER_ENTITIES, ...aggregates('aggregate-cluster', 'aggregate-cluster-mesh')];
      return [...names.map(reserved), labelSelector(pods)];
    }
    case 'cluster': {
      const pods: Selector =
        around.clusterName === undefined
          ? {
              kind: 'none',
              key: 'none cluster',
              why: 'the name of the cluster is not known',
              among: 'pods',
            }
          : labelSelector({ matchLabels: { [`k8s:${POD_CLUSTER}`]: around.clusterName } });
      return [...[...CLUSTER_ENTITIES, ...aggregates('aggregate-cluster')].map(reserved), pods];
    }
    default:
      return [reserved(entity)];
  }
}

function cidrSelector(
  prefix: AddressRange,
  holes: readonly AddressRange[] = [],
  insiders?: Insiders,
): Extract<Selector, { kind: 'cidr' }> {
  const except = holes.map(formatRange).sort().join(',');
  const key = `cidr ${formatRange(prefix)} -${except}`;
  return insiders
    ? { kind: 'cidr', key: `${key} ${JSON.stringify(insiders)}`, prefix, holes, insiders }
    : { kind: 'cidr', key, prefix, holes };
}

const NODES_UNKNOWN = 'whether CIDR rules select nodes is not known (--cidr-match-mode)';
const PODS_UNKNOWN = 'whether CIDR rules select pods is not known (--cidr-match-mode)';

/**
 * Whom a CIDR rule selects in the cluster: nodes from 1.15 on and pods from 1.20 on, where the agents have the option for it.
 */
function insidersOf({ release, cidrMatchMode: mode }: Surroundings): Insiders | undefined {
  const nodes = mode ? mode.includes('nodes') || undefined : NODES_UNKNOWN;
  const pods = mode ? mode.includes('pods') || undefined : PODS_UNKNOWN;
  const has = (first: Release) => release !== undefined && atLeast(release, first);
  const found: Insiders = {
    ...(nodes && has('1.15') && { nodes }),
    ...(pods && has('1.20') && { pods }),
  };
  return found.nodes || found.pods ? found : undefined;
}

/** Of a rule for all addresses: from 1.19 on they select nodes only where they select pods. */
function insidersOfAll(around: Surroundings, cut: boolean): Insiders | undefined {
  const { nodes, pods } = insidersOf(around) ?? {};
  if (pods) return { ...(nodes && { nodes: nodes === true ? pods : nodes }), pods };
  if (!cut || !nodes || reaches(around, '1.19')) return undefined;
  return { nodes: around.assumed ? 'agents from 1.19 on select no nodes here (--release)' : nodes };
}

/** The agent ignores the zone of an address. */
function rangeOf(text: string): AddressRange | undefined {
  return parseRange(withoutZone(text));
}

function cidrSelectors(list: readonly string[], around: Surroundings): Selector[] {
  return rangeSelectors(
    list.flatMap((text) => rangeOf(text) ?? []),
    around,
  );
}

function rangeSelectors(ranges: readonly AddressRange[], around: Surroundings): Selector[] {
  const insiders = insidersOf(around);
  const narrow = ranges.filter(({ length }) => length > 0).map((range) => cidrSelector(range, [], insiders));
  const all = insidersOfAll(around, false);
  const wide = all
    ? ranges
        .filter(({ length }) => length === 0)
        .map((range) => cidrSelector(range, [], { ...all, only: true }))
    : [];
  return [...narrow, ...worldOf(ranges, around), ...wide];
}

/** A prefix of all addresses means the world. Dual-stack clusters have an identity of it for each family. */
function worldOf(ranges: readonly AddressRange[], around: Surroundings): Selector[] {
  const v4 = ranges.some(({ length, family }) => length === 0 && family === 4);
  const v6 = ranges.some(({ length, family }) => length === 0 && family === 6);
  if (!v4 && !v6) return [];
  const families = [...(v4 ? ['world-ipv4'] : []), ...(v6 ? ['world-ipv6'] : [])];
  const { dualStack, release } = around;
  // Before 1.15 both families share one identity.
  const shared = release !== undefined && !atLeast(release, '1.15');
  if (shared || (v4 && v6 && dualStack === false)) return [reserved('world')];
  const own = families.map(reserved);
  if (v4 && v6) return [reserved('world'), ...own];
  if (dualStack === true) return own;
  const world = worldOfFamily(v4 ? 4 : 6);
  return dualStack === false ? [world] : [world, ...own];
}

/** No IPv6 address meets `0.0.0.0/0`, and no IPv4 address `::/0`, also where both families share an identity. */
function worldOfFamily(family: 4 | 6): Selector {
  const terms = termsOf({ matchLabels: { 'reserved:world': '' } });
  return { kind: 'labels', key: `${canonical(terms)} ipv${family}`, terms, family };
}

function cidrRuleSelectors(rule: CidrRule, around: Surroundings): Selector[] {
  const holes = (rule.except ?? []).flatMap((text) => rangeOf(text) ?? []);
  if (rule.cidr !== undefined) return pieces([rule.cidr], holes, around);
  const group = groupPrefixes(rule, around.objects ?? noObjects());
  if (group) return pieces(group, holes, around);
  const what = rule.cidrGroupRef === undefined ? 'no CIDR group' : `the CIDR group ${rule.cidrGroupRef}`;
  const why = rule.cidrGroupRef === undefined ? `${what} is known` : `${what} is not known`;
  return unknownPeers([rule], why, amongCidrs(around));
}

/** Whom a CIDR rule can select. */
function amongCidrs(around: Surroundings): Among {
  const { nodes, pods } = insidersOf(around) ?? {};
  return pods ? 'anyone' : nodes ? 'hosts' : 'outside';
}

function groupPrefixes(
  { cidrGroupRef, cidrGroupSelector }: CidrRule,
  objects: ClusterObjects,
): readonly string[] | undefined {
  if (cidrGroupRef !== undefined) return objects.cidrGroups.find(({ name }) => name === cidrGroupRef)?.cidrs;
  return cidrGroupSelector && groupsOf(cidrGroupSelector, objects);
}

function pieces(list: readonly string[], holes: readonly AddressRange[], around: Surroundings): Selector[] {
  const prefixes = list.flatMap((text) => rangeOf(text) ?? []);
  if (holes.length === 0) return rangeSelectors(prefixes, around);
  // From 1.17 on an exception is a hole in a selector; before, the selector is cut into the prefixes around it.
  if (reaches(around, '1.17'))
    return prefixes.map((prefix) => ({
      ...cidrSelector(prefix, holes, insidersBelow(prefix, around)),
      ...(prefix.length === 0 && around.dualStack === true && { split: true }),
    }));
  const parts = cutSelectors(prefixes, holes, around);
  return around.assumed ? [...parts.map(unlessWorld), ...wholes(prefixes, holes)] : parts;
}

function insidersBelow({ length }: AddressRange, around: Surroundings): Insiders | undefined {
  return length > 0 ? insidersOf(around) : insidersOfAll(around, true);
}

function cutSelectors(
  prefixes: readonly AddressRange[],
  holes: readonly AddressRange[],
  around: Surroundings,
): Selector[] {
  const ranges = prefixes.flatMap((prefix) => without(prefix, holes));
  // Of a prefix of all addresses, agents from 1.19 on keep the prefix whole.
  const ofAll = prefixes.some(({ length }) => length === 0);
  return ofAll
    ? ranges.flatMap((range) =>
        range.length > 0
          ? [cidrSelector(range, [], insidersOfAll(around, true))]
          : rangeSelectors([range], around),
      )
    : rangeSelectors(ranges, around);
}

/** An identity of a prefix that contains an exception, which only later agents select. */
function wholes(prefixes: readonly AddressRange[], holes: readonly AddressRange[]): Selector[] {
  const perhaps = 'releases differ in whether they select a prefix around an exception (--release)';
  return prefixes.map((prefix) => {
    const selector = cidrSelector(prefix, holes);
    return { ...selector, key: `${selector.key} perhaps`, perhaps };
  });
}

/** Where an exception cuts nothing off all addresses, later agents do not select the world any more. */
function unlessWorld(selector: Selector): Selector {
  const why = 'releases differ in whether this selects the world (--release)';
  return selector.kind === 'labels' ? bounded(selector, { everybody: true, why }) : selector;
}

function serviceSelectors(peers: EgressPeers, around: Surroundings): Selector[] {
  return (peers.toServices ?? []).flatMap((service) => {
    const meant = servicesOf(service, around.objects ?? noObjects());
    if (meant) return meant.flatMap((each) => backendSelectors(each, around));
    const { namespace, serviceName } = service.k8sService ?? {};
    const name = [namespace, serviceName].filter(Boolean).join('/');
    const why = name ? `the service ${name} is not known` : 'services by selector are not known';
    return unknownPeers([service], why, insidersOf(around) ? 'anyone' : 'both');
  });
}

/** The pods that a service selects; the addresses of one that selects none. */
function backendSelectors(
  { namespace, selector, addresses }: ClusterService,
  around: Surroundings,
): Selector[] {
  if (!selector) return cidrSelectors(addresses, around);
  const own = Object.entries(selector).map(([key, value]) => [`k8s:${key}`, value]);
  return [
    labelSelector({
      matchLabels: { ...Object.fromEntries(own), [`k8s:${POD_NAMESPACE}`]: namespace },
    }),
  ];
}
