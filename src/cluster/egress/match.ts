import { parseRange } from '../../lib/address.ts';
import { NAMESPACE_LABELS, POD_NAMESPACE, parseLabels } from '../../model/label.ts';
import { accepts, type LabelSelector, termsOf } from '../../model/selector.ts';
import type { EgressEndpoint, EgressGateway, EgressNode, EgressPolicy } from './facts.ts';

function selects(selector: LabelSelector, labels: ReadonlyMap<string, string>, prefix = ''): boolean {
  return termsOf(selector).every((term) => accepts(term, labels.get(prefix + term.name)));
}

/** Labels of a pod's identity that come from Kubernetes, by key. */
function labelsOf({ labels }: EgressEndpoint): Map<string, string> {
  return new Map(
    parseLabels(labels).flatMap(({ source, key, value }) => (source === 'k8s' ? [[key, value]] : [])),
  );
}

/** Whether a policy is about the traffic of a pod. `node` is the one that it runs on. */
export function isAbout(
  policy: EgressPolicy,
  endpoint: EgressEndpoint,
  node: EgressNode | undefined,
): boolean {
  const labels = labelsOf(endpoint);
  return policy.selectors.some(({ pods, namespaces, nodes }) => {
    if (namespaces && !(labels.has(POD_NAMESPACE) && selects(namespaces, labels, `${NAMESPACE_LABELS}.`)))
      return false;
    if (nodes && !(node && selects(nodes, new Map(Object.entries(node.labels))))) return false;
    return pods === undefined || selects(pods, labels);
  });
}

/** The nodes that a policy's gateway may be. */
export function candidates(policy: EgressPolicy, nodes: readonly EgressNode[]): EgressNode[] {
  return nodes.filter((node) => policy.gateways.some((gateway) => isGateway(gateway, node)));
}

function isGateway({ nodes }: EgressGateway, node: EgressNode): boolean {
  return selects(nodes, new Map(Object.entries(node.labels)));
}

/** The addresses that a policy says its traffic shall leave with from a node; empty where it leaves that to the node. */
export function wantedAddresses(policy: EgressPolicy, node: EgressNode): string[] {
  const own = policy.gateways.filter((gateway) => isGateway(gateway, node));
  return own.some(({ egressIp }) => egressIp === undefined)
    ? []
    : own.flatMap(({ egressIp }) => egressIp ?? []);
}

/** Why agents do not take a policy; undefined when they do. */
export function faultOf({ selectors, gateways }: EgressPolicy): string | undefined {
  if (gateways.some(({ egressIp, iface }) => egressIp !== undefined && iface !== undefined))
    return 'agents refuse it: a gateway with an interface and an egressIP';
  if (selectors.some(({ pods, namespaces }) => !pods && !namespaces))
    return 'agents refuse it: a selector without podSelector and namespaceSelector';
  if (gateways.length === 0) return 'agents refuse it: it has no egressGateway';
  return undefined;
}

/** Whether two addresses or prefixes are of one family. */
export function isSameFamily(a: string, b: string): boolean {
  return parseRange(a)?.family === parseRange(b)?.family;
}
