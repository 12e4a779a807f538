import { NAMESPACE_LABELS, POD_NAMESPACE } from '../../model/label.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { LabelSelector } from '../../model/selector.ts';
import type { Cursor } from '../language/decoders.ts';
import type { EgressPeers, IngressPeers, Path, Rule, Service } from '../rule.ts';
import { derivedLabels, type ObjectName, withLabel } from './kubernetes-object.ts';

/**
 * Turns a rule of a CiliumNetworkPolicy or a CiliumClusterwideNetworkPolicy into the rule that the agent makes of it: its
 * subject and its peers are in the policy's namespace, and its labels name the object.
 */
export function inNamespace(rule: Rule, owner: ObjectName, target: Release | undefined): Rule {
  const { namespace } = owner;
  const subject = rule.endpointSelector && subjectIn(rule.endpointSelector, namespace);
  const matchesInit = hasSource(rule.endpointSelector, 'reserved:init');
  const byLabels = target === undefined || atLeast(target, '1.16');
  const peer = (selector: LabelSelector) => peerIn(selector, namespace, matchesInit, byLabels);
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

/**
 * Warns of a subject in another namespace than the policy's own. Agents put the policy's namespace in its place, which
 * a label gives way to and an expression does not.
 */
export function warnOfOtherNamespace({ endpointSelector }: Rule, namespace: string, at: Cursor): void {
  if (!endpointSelector || hasSource(endpointSelector, 'reserved:init')) return;
  const warn = (other: string, effect: string, part: Path) =>
    at.warn(
      'namespace',
      `the selector names the namespace ${other}, but the policy is in "${namespace}": ${effect}`,
      'A policy selects pods of its own namespace only: set "metadata.namespace", or use a CiliumClusterwideNetworkPolicy.',
      ['endpointSelector', ...part],
    );
  const nothing = 'agents require both, so it selects no pod';
  for (const [key, value] of Object.entries(endpointSelector.matchLabels ?? {})) {
    if (value === namespace || !NAMESPACE_KEYS.has(key)) continue;
    const replaced = key.startsWith('k8s:');
    const effect = replaced ? `agents select the pods of "${namespace}" instead` : nothing;
    warn(`"${value}"`, effect, ['matchLabels']);
  }
  for (const [i, { key, operator, values = [] }] of (endpointSelector.matchExpressions ?? []).entries()) {
    if (!NAMESPACE_KEYS.has(key)) continue;
    const list = values.map((value) => `"${value}"`).join(', ');
    const part = ['matchExpressions', i];
    if (operator === 'In' && !values.includes(namespace)) warn(list, nothing, part);
    else if (operator === 'In' && values.length > 1)
      warn(list, `agents select the pods of "${namespace}" only`, part);
    else if (operator === 'NotIn' && values.includes(namespace)) warn(`other than ${list}`, nothing, part);
    else if (operator === 'DoesNotExist') warn('of no pod', nothing, part);
  }
}

const NAMESPACE_KEYS: ReadonlySet<string> = new Set([`k8s:${POD_NAMESPACE}`, `any:${POD_NAMESPACE}`]);

function subjectIn(selector: LabelSelector, namespace: string): LabelSelector {
  if (namespace === '' || hasSource(selector, 'reserved:init')) return selector;
  return withLabel(selector, `k8s:${POD_NAMESPACE}`, namespace);
}

/** `byLabels`: a selector that names labels of namespaces is of all namespaces, as from 1.16 on. */
function peerIn(
  selector: LabelSelector,
  namespace: string,
  matchesInit: boolean,
  byLabels: boolean,
): LabelSelector {
  if (hasSource(selector, 'reserved:')) return selector;
  if (hasSource(selector, `k8s:${POD_NAMESPACE}`, true) || hasSource(selector, `any:${POD_NAMESPACE}`, true))
    return selector;
  if (namespace !== '') {
    const byNamespaceLabel =
      byLabels && ['k8s', 'any'].some((source) => hasSource(selector, `${source}:${NAMESPACE_LABELS}`));
    return byNamespaceLabel ? selector : withLabel(selector, `k8s:${POD_NAMESPACE}`, namespace);
  }
  if (matchesInit) return selector;
  // Peers of a clusterwide policy are pods, so a selector without a namespace requires that there is one.
  const { matchExpressions = [] } = selector;
  return {
    ...selector,
    matchExpressions: [...matchExpressions, { key: `k8s:${POD_NAMESPACE}`, operator: 'Exists' }],
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
