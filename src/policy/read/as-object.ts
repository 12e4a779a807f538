import { isDeepStrictEqual } from 'node:util';
import { POD_NAMESPACE, POLICY_LABEL } from '../../model/label.ts';
import type { Release } from '../../model/release.ts';
import type { LabelSelector } from '../../model/selector.ts';
import { canonicalRules } from '../language/canonical.ts';
import type { Rule } from '../rule.ts';
import { parsePolicies } from './policies.ts';

/** A rule written as a Kubernetes object. */
export interface WrittenObject {
  value: Record<string, unknown>;
  /** Peers without a namespace became pods of any namespace: an object cannot name others by their labels. */
  podsOnly: boolean;
}

const KEY = `k8s:${POD_NAMESPACE}`;
/** Labels that an agent gives the rules of objects. */
const DERIVED = /^io\.cilium\.k8s\.policy\./;

/**
 * Writes a rule of the agent's own form as an object: a CiliumNetworkPolicy where its subject names a namespace, else a
 * CiliumClusterwideNetworkPolicy. Undefined where an agent would not make the same rule of it: what is returned was read
 * again and compared.
 */
export async function asObject(
  rule: Rule,
  name: string,
  target?: Release,
): Promise<WrittenObject | undefined> {
  const { endpointSelector, labels = [] } = rule;
  const namespace = endpointSelector?.matchLabels?.[KEY];
  const wanted = withNamespaces(rule);
  const own = labels.filter(({ key }) => !DERIVED.test(key));
  const { labels: _, enableDefaultDeny, ...spec } = canonicalOf(wanted);
  const object = (more: object) => ({
    apiVersion: 'cilium.io/v2',
    kind: namespace === undefined ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: {
      ...spec,
      ...(endpointSelector &&
        namespace !== undefined && { endpointSelector: withoutNamespace(endpointSelector) }),
      ...more,
      ...(own.length > 0 && {
        labels: own.map(({ source, ...label }) => ({ ...(source && { source }), ...label })),
      }),
    },
  });
  // Releases before 1.15 do not know the field: it is left out where it says what is so anyhow.
  for (const value of [object({}), object({ enableDefaultDeny })])
    if (await isReadAs(value, wanted, target))
      return { value, podsOnly: !isDeepStrictEqual(withoutLabels(wanted), withoutLabels(rule)) };
  return undefined;
}

/** Whether an agent makes the rule of an object, whatever its labels. */
async function isReadAs(value: object, rule: Rule, target: Release | undefined): Promise<boolean> {
  const { rules, findings } = await parsePolicies([{ file: 'object', text: JSON.stringify(value) }], {
    target,
  });
  const [again, ...more] = rules;
  if (!again || more.length > 0 || findings.some(({ severity }) => severity === 'error')) return false;
  return isDeepStrictEqual(withoutLabels(again.rule), withoutLabels(rule));
}

/** The name of the object that a rule was made of, as its labels tell. */
export function nameInLabels({ labels = [] }: Rule): string | undefined {
  return labels.find(({ key }) => key === `${POLICY_LABEL}.name`)?.value || undefined;
}

function canonicalOf(rule: Rule): Record<string, unknown> {
  const [canonical] = canonicalRules([rule]) as [Record<string, unknown>];
  return canonical;
}

function withoutLabels(rule: Rule): Record<string, unknown> {
  const { labels: _, ...rest } = canonicalOf(rule);
  return rest;
}

function withoutNamespace({ matchLabels = {}, ...rest }: LabelSelector): LabelSelector {
  const { [KEY]: _, ...others } = matchLabels;
  return { ...rest, ...(Object.keys(others).length > 0 && { matchLabels: others }) };
}

const PEERS = ['fromEndpoints', 'fromRequires', 'toEndpoints', 'toRequires'] as const;

/** The rule with each peer in some namespace, as an object has it: reserved ones are in none. */
function withNamespaces(rule: Rule): Rule {
  const within = <T extends object>(items: readonly T[] | undefined) =>
    items?.map((item) => {
      const changed = PEERS.flatMap((field) => {
        const list = (item as Partial<Record<(typeof PEERS)[number], LabelSelector[]>>)[field];
        return list ? [[field, list.map(inSomeNamespace)] as const] : [];
      });
      return { ...item, ...Object.fromEntries(changed) };
    });
  const { ingress, ingressDeny, egress, egressDeny } = rule;
  return {
    ...rule,
    ...(ingress && { ingress: within(ingress) ?? [] }),
    ...(ingressDeny && { ingressDeny: within(ingressDeny) ?? [] }),
    ...(egress && { egress: within(egress) ?? [] }),
    ...(egressDeny && { egressDeny: within(egressDeny) ?? [] }),
  };
}

function inSomeNamespace(selector: LabelSelector): LabelSelector {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  const says = keys.some(
    (key) => key.startsWith('reserved:') || key === KEY || key === `any:${POD_NAMESPACE}`,
  );
  if (says) return selector;
  return { ...selector, matchExpressions: [...matchExpressions, { key: KEY, operator: 'Exists' }] };
}
