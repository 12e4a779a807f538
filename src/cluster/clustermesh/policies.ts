import { isRecord } from '../../lib/record.ts';
import { POD_CLUSTER } from '../../model/label.ts';

const RULES = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const;
const PODS = ['fromEndpoints', 'toEndpoints'] as const;
const NODES = ['fromNodes', 'toNodes'] as const;

/** Names of policies by kind, and whether each means something else where peers are those of one's own cluster by default. */
export interface LocalClusterReport {
  networkPolicies: Map<string, boolean>;
  ciliumPolicies: Map<string, boolean>;
  clusterwidePolicies: Map<string, boolean>;
}

/** Whether a NetworkPolicy has a peer that may be in any cluster: it says pods, and not which cluster's. */
export function isNetworkPolicyAffected(spec: unknown): boolean {
  const { ingress, egress } = isRecord(spec) ? spec : {};
  const peers = [
    ...listOf(ingress).flatMap(({ from }) => listOf(from)),
    ...listOf(egress).flatMap(({ to }) => listOf(to)),
  ];
  return peers.some(({ ipBlock, podSelector }) => !isRecord(ipBlock) && !namesCluster(podSelector));
}

/** The same of a policy of Cilium's, which may hold several rules. */
export function isCiliumPolicyAffected(spec: unknown, specs: unknown): boolean {
  return [...(isRecord(spec) ? [spec] : []), ...listOf(specs)].some((rule) =>
    RULES.flatMap((part) => listOf(rule[part])).some(
      (direction) =>
        PODS.flatMap((field) => listOf(direction[field])).some(
          (selector) =>
            !keysOf(selector).some((key) => key.startsWith('reserved:')) && !isOfCluster(selector),
        ) || NODES.flatMap((field) => listOf(direction[field])).some((selector) => !isOfCluster(selector)),
    ),
  );
}

function listOf(value: unknown): Record<string, unknown>[] {
  // An entry that is null selects as an empty one does.
  return Array.isArray(value) ? value.map((one) => (isRecord(one) ? one : {})) : [];
}

/** The keys that a selector of labels has. */
function keysOf(selector: Record<string, unknown>): string[] {
  const { matchLabels, matchExpressions } = selector;
  return [
    ...(isRecord(matchLabels) ? Object.keys(matchLabels) : []),
    ...listOf(matchExpressions).map(({ key }) => String(key)),
  ];
}

/** A key without a source, or with `any`, stands for all sources. */
function isOfCluster(selector: Record<string, unknown>): boolean {
  return keysOf(selector).some((key) => key.replace(/^(?:any|k8s):/, '') === POD_CLUSTER);
}

/** As Kubernetes has it, where keys have no sources; an empty value names no cluster. */
function namesCluster(selector: unknown): boolean {
  if (!isRecord(selector)) return false;
  const { matchLabels, matchExpressions } = selector;
  return (
    (isRecord(matchLabels) && Boolean(matchLabels[POD_CLUSTER])) ||
    listOf(matchExpressions).some(({ key }) => key === POD_CLUSTER)
  );
}
