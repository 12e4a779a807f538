import type { LabelSelector } from '../../model/selector.ts';
import { compileRule, type Part } from '../../policy/evaluate/maps/compile-rule.ts';
import type { Selector } from '../../policy/evaluate/selectors/selector.ts';
import type { Surroundings } from '../../policy/evaluate/selectors/surroundings.ts';
import type { EgressRule, IngressRule, PolicyEntry, Rule } from '../../policy/rule.ts';
import type { PolicyRule } from '../state/state.ts';
import { sourced } from './rules.ts';

const SECTIONS = ['egressDeny', 'egress', 'ingressDeny', 'ingress'] as const;

/** Rules as agents from 1.19 on answer them: one entry for each direction's part of each rule. */
export function entriesOfRules(rules: readonly PolicyRule[], around: Surroundings): PolicyEntry[] {
  return rules.flatMap((normal) => {
    const source = sourced(normal);
    const { parts } = compileRule(source, around);
    return SECTIONS.flatMap((section) =>
      (source.rule[section] ?? []).map((item, i) => {
        const part = parts.find(({ path }) => path[0] === section && path[1] === i);
        return entryOf(source.rule, section, item, part);
      }),
    );
  });
}

/** That of network policies, as 1.20 numbers tiers. */
const NORMAL_TIER = 200;

function entryOf(
  rule: Rule,
  section: (typeof SECTIONS)[number],
  item: IngressRule & EgressRule,
  part: Part | undefined,
): PolicyEntry {
  const ingress = section.startsWith('ingress');
  return {
    Tier: NORMAL_TIER,
    Priority: 0,
    Authentication: item.authentication ?? null,
    Log: rule.log ?? {},
    Subject: dotted(rule.nodeSelector ?? rule.endpointSelector ?? {}),
    L3: part?.peers === undefined ? null : [...part.peers.flatMap(selectorEntry), ...textEntries(item)],
    L4: [...(item.toPorts ?? []), ...(item.icmps ?? [])],
    Labels: rule.labels ?? [],
    DefaultDeny: rule.enableDefaultDeny[ingress ? 'ingress' : 'egress'],
    Verdict: section.endsWith('Deny') ? 1 : 0,
    Ingress: ingress,
    Node: rule.nodeSelector !== undefined,
  };
}

/** Peers by labels, entities among them. */
function selectorEntry(selector: Selector): LabelSelector[] {
  if (selector.kind !== 'labels') return [];
  const labels: Record<string, string> = {};
  const expressions: LabelSelector['matchExpressions'] = [];
  for (const { source, name, operator, values } of selector.terms) {
    const key = `${source}.${name}`;
    if (operator === 'In' && values.length === 1) labels[key] = values[0] ?? '';
    else expressions.push({ key, operator, ...(values.length > 0 && { values: [...values] }) });
  }
  return [
    {
      ...(Object.keys(labels).length > 0 && { matchLabels: labels }),
      ...(expressions.length > 0 && { matchExpressions: expressions }),
    },
  ];
}

/** Peers that are told in a text: prefixes with their holes, and names. */
function textEntries(item: IngressRule & EgressRule): string[] {
  const plain = [...(item.fromCIDR ?? []), ...(item.toCIDR ?? [])].map((cidr) => `cidr:${withLength(cidr)}`);
  const sets = [...(item.fromCIDRSet ?? []), ...(item.toCIDRSet ?? [])].flatMap(({ cidr, except = [] }) => {
    if (cidr === undefined) return [];
    return [`cidr:${cidr}${except.length > 0 ? `-[${except.join(' ')}]` : ''}`];
  });
  const names = (item.toFQDNs ?? []).map(
    ({ matchName = '', matchPattern = '' }) => `MatchName: ${matchName}, MatchPattern: ${matchPattern}`,
  );
  return [...plain, ...sets, ...names];
}

function withLength(cidr: string): string {
  return cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`;
}

function dotted({ matchLabels, matchExpressions }: LabelSelector): LabelSelector {
  const key = (text: string) => text.replace(':', '.');
  return {
    ...(matchLabels && {
      matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([name, value]) => [key(name), value])),
    }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((each) => ({ ...each, key: key(each.key) })),
    }),
  };
}
