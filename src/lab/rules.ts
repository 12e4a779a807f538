import { parsePrefix } from './derive.ts';
import { holdsAll } from './labels.ts';
import type { PolicyRule } from './state.ts';

/** The rules of an import that cannot be taken. */
export class RuleError extends Error {
  override name = 'RuleError';
}

/** Reads the text of PUT /policy: a JSON list of rules. */
export function parseRules(text: string): PolicyRule[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RuleError(`unable to parse rules: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(value)) throw new RuleError('unable to parse rules: a list of rules is expected');
  return value.map((rule: unknown, i) => {
    if (!isObject(rule)) throw new RuleError(`rule ${i + 1} is not an object`);
    const subjects = [rule.endpointSelector, rule.nodeSelector].filter((s) => s !== undefined && s !== null);
    if (subjects.length === 0) throw new RuleError('rule must have one of EndpointSelector or NodeSelector');
    if (subjects.length > 1) throw new RuleError('rule cannot have both EndpointSelector and NodeSelector');
    for (const cidr of cidrsOf([rule]))
      if (!parsePrefix(cidr)) throw new RuleError(`unable to parse CIDR "${cidr}"`);
    return rule;
  });
}

/** The labels of a rule in text form. */
export function ruleLabels(rule: PolicyRule): string[] {
  return objects(rule.labels).map((label) => {
    const value = label.value ? `=${String(label.value)}` : '';
    return `${String(label.source || 'unspec')}:${String(label.key ?? '')}${value}`;
  });
}

/** Whether a rule carries all these labels. */
export function ruleHas(rule: PolicyRule, labels: readonly string[]): boolean {
  return holdsAll(ruleLabels(rule), labels);
}

/** Prefixes that rules name as peers, each once, in order. */
export function cidrsOf(rules: readonly PolicyRule[]): string[] {
  const found = new Set<string>();
  for (const rule of rules) {
    for (const section of ['ingress', 'ingressDeny', 'egress', 'egressDeny']) {
      for (const item of objects(rule[section])) {
        for (const cidr of [...strings(item.fromCIDR), ...strings(item.toCIDR)]) found.add(withLength(cidr));
        for (const set of [...objects(item.fromCIDRSet), ...objects(item.toCIDRSet)])
          if (typeof set.cidr === 'string') found.add(withLength(set.cidr));
      }
    }
  }
  return [...found];
}

/** The FQDN selectors of rules, each once. */
export function fqdnsOf(rules: readonly PolicyRule[]): { matchName: string; matchPattern: string }[] {
  const found = new Map<string, { matchName: string; matchPattern: string }>();
  for (const rule of rules) {
    for (const item of objects(rule.egress)) {
      for (const selector of objects(item.toFQDNs)) {
        const name = String(selector.matchName ?? '');
        const pattern = String(selector.matchPattern ?? '');
        found.set(`${name} ${pattern}`, { matchName: name, matchPattern: pattern });
      }
    }
  }
  return [...found.values()];
}

function withLength(cidr: string): string {
  if (cidr.includes('/')) return cidr;
  return `${cidr}/${cidr.includes(':') ? 128 : 32}`;
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
