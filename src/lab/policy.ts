import type { L4Policy, SelectorCache } from '../agent/types.gen.ts';
import { parseLabel, sameLabel } from './labels.ts';
import type { LabIdentity, PolicyRule } from './state.ts';

/** What the engine decides about. */
export interface PolicyInput {
  rules: readonly PolicyRule[];
  /** Reserved ones included. */
  identities: readonly LabIdentity[];
  enforcement: string;
}

/** What the rules make of one endpoint. */
export interface EndpointPolicyFacts {
  /** Whether traffic that no rule allows is dropped. */
  ingress: boolean;
  egress: boolean;
  /** Identities that may reach (or be reached by) the endpoint on any port; null as the reference writes none. */
  allowedIngress: number[] | null;
  allowedEgress: number[] | null;
  deniedIngress: number[] | null;
  deniedEgress: number[] | null;
  l4: L4Policy;
}

/** The rules of a lab, ready to be asked. The only door between the lab and the policy evaluator. */
export interface PolicyEngine {
  endpoint(labels: readonly string[]): EndpointPolicyFacts;
  /** Peers that rules name, with the identities they stand for. */
  selectors(): SelectorCache;
  /** Endpoints that rules are about. */
  subjectSelectors(): SelectorCache;
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** Prepares rules. */
export function compilePolicy(input: PolicyInput): PolicyEngine {
  return {
    endpoint(labels) {
      const mine = input.rules.filter((rule) => matches(subjectOf(rule), labels));
      const enforced = (direction: 'ingress' | 'egress') =>
        input.enforcement !== 'never' &&
        (input.enforcement === 'always' || mine.some((rule) => deniesByDefault(rule, direction)));
      return {
        ingress: enforced('ingress'),
        egress: enforced('egress'),
        allowedIngress: null,
        allowedEgress: null,
        deniedIngress: null,
        deniedEgress: null,
        l4: { ingress: [], egress: [] },
      };
    },
    selectors: () => cacheOf(input, peersOf),
    subjectSelectors: () => cacheOf(input, (rule) => [subjectOf(rule)].filter((s) => s !== undefined)),
  };
}

function subjectOf(rule: PolicyRule): Selector | undefined {
  return asSelector(rule.endpointSelector) ?? asSelector(rule.nodeSelector);
}

function asSelector(value: unknown): Selector | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function deniesByDefault(rule: PolicyRule, direction: 'ingress' | 'egress'): boolean {
  const { enableDefaultDeny } = rule;
  if (typeof enableDefaultDeny === 'object' && enableDefaultDeny !== null && direction in enableDefaultDeny)
    return Reflect.get(enableDefaultDeny, direction) === true;
  return rule[direction] !== undefined || rule[`${direction}Deny`] !== undefined;
}

function peersOf(rule: PolicyRule): Selector[] {
  return ['ingress', 'ingressDeny', 'egress', 'egressDeny'].flatMap((section) =>
    listOf(rule[section]).flatMap((item) =>
      ['fromEndpoints', 'toEndpoints'].flatMap((field) =>
        listOf(item[field]).flatMap((selector) => asSelector(selector) ?? []),
      ),
    ),
  );
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

function cacheOf(input: PolicyInput, selectorsOf: (rule: PolicyRule) => Selector[]): SelectorCache {
  const entries = new Map<string, { selector: Selector; rules: PolicyRule[] }>();
  for (const rule of input.rules) {
    for (const selector of selectorsOf(rule)) {
      const text = selectorText(selector);
      const entry = entries.get(text) ?? { selector, rules: [] };
      entry.rules.push(rule);
      entries.set(text, entry);
    }
  }
  return [...entries].map(([selector, entry]) => ({
    selector,
    identities: input.identities
      .filter((identity) => matches(entry.selector, identity.labels))
      .map((identity) => identity.id)
      .sort((a, b) => a - b),
    users: entry.rules.length,
    labels: listOf(entry.rules[0]?.labels).map((label) => ({
      key: String(label.key ?? ''),
      value: String(label.value ?? ''),
      ...(label.source ? { source: String(label.source) } : {}),
    })),
  }));
}

/** The form in which Go prints a selector. */
function selectorText(selector: Selector): string {
  const dotted = (key: string) =>
    key.replace(/^([\w.-]+):/, (_, source: string) => `${source}.`).replace(/^(?!.*\.)/, 'any.');
  const labels = Object.entries(selector.matchLabels ?? {})
    .map(([key, value]) => `${dotted(key)}: ${value},`)
    .sort();
  const expressions = (selector.matchExpressions ?? []).map(
    (e) =>
      `LabelSelectorRequirement{Key:${dotted(e.key)},Operator:${e.operator},Values:[${(e.values ?? []).join(' ')}],}`,
  );
  const list = expressions.length > 0 ? `${expressions.join(',')},` : '';
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${list}},}`;
}

function matches(selector: Selector | undefined, labels: readonly string[]): boolean {
  if (!selector) return false;
  const have = labels.map(parseLabel);
  const find = (key: string) => {
    const want = parseLabel(key.includes(':') ? key : `any:${key}`);
    return have.filter((label) => sameLabel({ ...want, value: label.value }, label));
  };
  const labelsHold = Object.entries(selector.matchLabels ?? {}).every(([key, value]) =>
    find(key).some((label) => label.value === value),
  );
  const expressionsHold = (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const found = find(key);
    if (operator === 'Exists') return found.length > 0;
    if (operator === 'DoesNotExist') return found.length === 0;
    const within = found.some((label) => values.includes(label.value));
    return operator === 'In' ? within : !within;
  });
  return labelsHold && expressionsHold;
}
