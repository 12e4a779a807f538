import { parsePlainJson } from '../../lib/exact-json.ts';
import { holdsLabels, type Label, parseLabels } from '../../model/label.ts';
import { NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { canonicalRules } from '../../policy/language/canonical.ts';
import { decodeRule } from '../../policy/language/decode-rule.ts';
import { Cursor } from '../../policy/language/decoders.ts';
import type { Rule, SourceDocument, SourcedRule } from '../../policy/rule.ts';
import type { PolicyRule } from '../state/state.ts';

/** The rules of an import that cannot be taken. */
export class RuleError extends Error {
  override name = 'RuleError';
}

/** Reads the text of PUT /policy, a JSON list of rules, and puts them into the agent's form. */
export function parseRules(text: string): PolicyRule[] {
  let value: unknown;
  try {
    value = parsePlainJson(text);
  } catch (error) {
    throw new RuleError(`unable to parse rules: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!Array.isArray(value)) throw new RuleError('unable to parse rules: a list of rules is expected');
  return normalRules(value);
}

/** Checks rules as an agent does (it overlooks fields that it does not know) and returns them in its form. */
export function normalRules(values: readonly unknown[]): PolicyRule[] {
  return values.map((value, i) => {
    const { rule, fault } = decoded(value);
    if (fault !== undefined || !rule) throw new RuleError(`rule ${i + 1}: ${fault ?? 'is not a rule'}`);
    const [normal] = canonicalRules([rule]) as PolicyRule[];
    if (!normal) throw new RuleError(`rule ${i + 1}: is not a rule`);
    DECODED.set(normal, rule);
    return normal;
  });
}

/**
 * The newest release, the last that takes Kafka rules, and the last that takes rules at its own API, also those without a
 * section: the lab takes what one of them takes.
 */
const TARGETS: readonly Release[] = [NEWEST_RELEASE, '1.19', '1.17'];

function decoded(value: unknown): { rule: Rule | undefined; fault: string | undefined } {
  const tried = TARGETS.map((target) => {
    const at = new Cursor({ strict: false, target, form: 'rule' });
    const rule = decodeRule(value, at);
    return { rule, fault: at.complaints.find(({ severity }) => severity === 'error')?.message };
  });
  return tried.find(({ fault }) => fault === undefined) ?? tried[0] ?? { rule: undefined, fault: undefined };
}

/** Rules are never changed, so that each needs to be decoded once. */
const DECODED = new WeakMap<PolicyRule, Rule>();

const NOWHERE: SourceDocument = { file: 'lab', locate: () => ({ file: 'lab', line: 1, column: 1 }) };

/** A rule as the evaluator takes it. */
export function sourced(normal: PolicyRule): SourcedRule {
  let rule = DECODED.get(normal);
  if (!rule) {
    rule = decoded(normal).rule;
    if (!rule) throw new RuleError('a stored rule cannot be read');
    DECODED.set(normal, rule);
  }
  return { rule, origin: { kind: 'rule', source: NOWHERE, path: [] } };
}

/** The labels of a rule in text form. */
export function ruleLabels(rule: Pick<PolicyRule, 'labels'> | Pick<Rule, 'labels'>): string[] {
  const { labels } = rule;
  if (!Array.isArray(labels)) return [];
  return labels.map((label: { key?: unknown; value?: unknown; source?: unknown }) => {
    const value = label.value ? `=${String(label.value)}` : '';
    return `${String(label.source ?? '')}:${String(label.key ?? '')}${value}`;
  });
}

/** Whether a rule carries all these labels. */
export function ruleHas(rule: PolicyRule, labels: readonly Label[]): boolean {
  return holdsLabels(parseLabels(ruleLabels(rule)), labels);
}

/** The FQDN selectors of rules, each once. */
export function fqdnsOf(rules: readonly PolicyRule[]): { matchName: string; matchPattern: string }[] {
  const found = new Map<string, { matchName: string; matchPattern: string }>();
  for (const normal of rules) {
    for (const item of sourced(normal).rule.egress ?? []) {
      for (const { matchName = '', matchPattern = '' } of item.toFQDNs ?? [])
        found.set(`${matchName} ${matchPattern}`, { matchName, matchPattern });
    }
  }
  return [...found.values()];
}
