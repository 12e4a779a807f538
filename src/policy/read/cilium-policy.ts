import type { LabelSelector } from '../../model/selector.ts';
import type { EgressPeers, IngressPeers, Rule, Service } from '../rule.ts';
import {
  derivedLabels,
  NAMESPACE_KEY,
  NAMESPACE_LABELS,
  type ObjectName,
  withLabel,
} from './kubernetes-object.ts';

/**
 * Turns a rule of a CiliumNetworkPolicy or a CiliumClusterwideNetworkPolicy into the rule that the agent makes of it: its
 * subject and its peers are in the policy's namespace, and its labels name the object.
 */
export function inNamespace(rule: Rule, owner: ObjectName): Rule {
  const { namespace } = owner;
  const subject = rule.endpointSelector && subjectIn(rule.endpointSelector, namespace);
  const matchesInit = hasSource(rule.endpointSelector, 'reserved:init');
  const peer = (selector: LabelSelector) => peerIn(selector, namespace, matchesInit);
  const ingress = <T extends IngressPeers>(item: T): T => ({
    ...item,
    ...(item.fromEndpoints && { fromEndpoints: item.fromEndpoints.map(peer) }),
    ...(item.fromRequires && { fromRequires: item.fromRequires.map(peer) }),
  });
  const egress = <T extends EgressPeers>(item: T): T => ({
    ...item,
    ...(item.toEndpoints && { toEndpoints: item.toEndpoints.map(peer) }),
    ...(item.toRequires && { toRequires: item.toRequires.map(peer) }),
    ...(item.toServices && { toServices: item.toServices.map((service) => serviceIn(service, namespace)) }),
  });
  const sorted = [...derivedLabels(owner), ...(rule.labels ?? [])].toSorted((a, b) =>
    a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
  );
  const { endpointSelector, nodeSelector, labels, enableDefaultDeny, description, log, ...directions } = rule;
  return {
    ...(subject && { endpointSelector: subject }),
    ...(nodeSelector && { nodeSelector }),
    ...(directions.ingress && { ingress: directions.ingress.map(ingress) }),
    ...(directions.ingressDeny && { ingressDeny: directions.ingressDeny.map(ingress) }),
    ...(directions.egress && { egress: directions.egress.map(egress) }),
    ...(directions.egressDeny && { egressDeny: directions.egressDeny.map(egress) }),
    labels: sorted,
    enableDefaultDeny,
    ...(description && { description }),
    ...(log && { log }),
  };
}

function subjectIn(selector: LabelSelector, namespace: string): LabelSelector {
  if (namespace === '' || hasSource(selector, 'reserved:init')) return selector;
  return withLabel(selector, `k8s:${NAMESPACE_KEY}`, namespace);
}

function peerIn(selector: LabelSelector, namespace: string, matchesInit: boolean): LabelSelector {
  if (hasSource(selector, 'reserved:')) return selector;
  if (hasSource(selector, `k8s:${NAMESPACE_KEY}`, true) || hasSource(selector, `any:${NAMESPACE_KEY}`, true))
    return selector;
  if (namespace !== '') {
    const byNamespaceLabel = ['k8s', 'any'].some((source) =>
      hasSource(selector, `${source}:${NAMESPACE_LABELS}`),
    );
    return byNamespaceLabel ? selector : withLabel(selector, `k8s:${NAMESPACE_KEY}`, namespace);
  }
  if (matchesInit) return selector;
  // Peers of a clusterwide policy are pods, so a selector without a namespace requires that there is one.
  const { matchExpressions = [] } = selector;
  return {
    ...selector,
    matchExpressions: [...matchExpressions, { key: `k8s:${NAMESPACE_KEY}`, operator: 'Exists' }],
  };
}

function hasSource(selector: LabelSelector | undefined, prefix: string, whole = false): boolean {
  const keys = [
    ...Object.keys(selector?.matchLabels ?? {}),
    ...(selector?.matchExpressions ?? []).map(({ key }) => key),
  ];
  return keys.some((key) => (whole ? key === prefix : key.startsWith(prefix)));
}

function serviceIn({ k8sServiceSelector, k8sService }: Service, namespace: string): Service {
  return {
    ...(k8sServiceSelector && {
      k8sServiceSelector: {
        selector: k8sServiceSelector.selector,
        ...placed(k8sServiceSelector.namespace || namespace),
      },
    }),
    ...(k8sService && {
      k8sService: {
        ...(k8sService.serviceName && { serviceName: k8sService.serviceName }),
        ...placed(k8sService.namespace || namespace),
      },
    }),
  };
}

function placed(namespace: string): { namespace?: string } {
  return namespace === '' ? {} : { namespace };
}
