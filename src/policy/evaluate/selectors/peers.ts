import { POD_CLUSTER, POD_NAMESPACE } from '../../../model/label.ts';
import { atLeast } from '../../../model/release.ts';
import type { AggregateName } from '../../../model/reserved-identity.ts';
import { type LabelSelector, type Term, termsOf } from '../../../model/selector.ts';
import type { EgressPeers, Entity, FqdnSelector, IngressPeers } from '../../rule.ts';
import { cidrRuleSelectors, cidrSelectors, insidersOf } from './cidrs.ts';
import { type ClusterService, noObjects, servicesOf } from './cluster-objects.ts';
import {
  type Bounds,
  bounded,
  canonical,
  fqdnSelector,
  labelSelector,
  NOBODY,
  reserved,
  type Selector,
  unknownPeers,
  WILDCARD,
} from './selector.ts';
import { reaches, type Surroundings } from './surroundings.ts';

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

/** Up to 1.15 an empty list counts as absent. */
function anyEmpty({ release }: Surroundings, ...lists: (readonly unknown[] | undefined)[]): boolean {
  const counts = release === undefined || atLeast(release, '1.16');
  return counts && lists.some((list) => list?.length === 0);
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
