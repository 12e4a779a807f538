import { isRecord } from '../../lib/record.ts';
import { holdsLabels, POD_NAMESPACE, POLICY_LABEL, parseLabels } from '../../model/label.ts';
import type { LabelSelector } from '../../model/selector.ts';
import {
  type CidrRule,
  type FqdnSelector,
  type IngressRule,
  type Path,
  type PolicyEntry,
  type PortRule,
  type Rule,
  type SourceDocument,
  type SourcedRule,
  TIERS,
  type Tier,
} from '../rule.ts';
import { withLabel } from './kubernetes-object.ts';

/** Whether this is the list of entries that agents from 1.19 on return for `GET /policy`. An empty list may be rules too. */
export function isEntryList(value: unknown): value is PolicyEntry[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((entry) => isRecord(entry) && 'Subject' in entry)
  );
}

/** The entries that have all of the labels. A label without a source matches any source. */
export function entriesWithLabels(entries: readonly PolicyEntry[], labels: readonly string[]): PolicyEntry[] {
  const wanted = parseLabels(labels, 'any');
  return entries.filter(({ Labels }) => holdsLabels(Labels ?? [], wanted));
}

/** The entries as rules of the same meaning, one per entry. */
export function rulesOfEntries(entries: readonly PolicyEntry[], source: SourceDocument): SourcedRule[] {
  return entries.map((entry, i) => sourced(ruleOfEntry(entry), source, [i]));
}

function sourced(rule: Rule, source: SourceDocument, path: Path): SourcedRule {
  const label = (key: string) => rule.labels?.find((each) => each.key === key)?.value;
  const namespace = label(`${POLICY_LABEL}.namespace`);
  const name = label(`${POLICY_LABEL}.name`) ?? label('filename');
  return {
    rule,
    origin: { kind: 'rule', ...(namespace && { namespace }), ...(name && { name }), source, path },
  };
}

function ruleOfEntry(entry: PolicyEntry): Rule {
  const subject = subjectOf(entry);
  const ports = (entry.L4 ?? []).filter(({ ports }) => (ports?.length ?? 0) > 0) satisfies PortRule[];
  const icmps = (entry.L4 ?? []).filter(({ fields }) => (fields?.length ?? 0) > 0);
  const fqdns: FqdnSelector[] = [];
  const part: IngressRule = {
    ...peersOf(entry.L3, fqdns),
    ...(ports.length > 0 && { toPorts: ports }),
    ...(icmps.length > 0 && { icmps }),
    ...(entry.Authentication && { authentication: entry.Authentication }),
  };
  const section = `${entry.Ingress ? 'ingress' : 'egress'}${entry.Verdict === 1 ? 'Deny' : ''}`;
  return {
    ...(entry.Node ? { nodeSelector: subject } : { endpointSelector: subject }),
    [section]: [entry.Ingress ? part : mirrored(part, fqdns)],
    labels: entry.Labels,
    enableDefaultDeny: {
      ingress: entry.Ingress && entry.DefaultDeny,
      egress: !entry.Ingress && entry.DefaultDeny,
    },
    ...orderOf(entry),
  };
}

/** Agents ask the rules of a CiliumNetworkPolicy for pods of its namespace only, which a selector for `reserved:init` does not say. */
function subjectOf({ Subject, Labels }: PolicyEntry): LabelSelector {
  const subject = selectorOf(Subject);
  const label = (key: string) => Labels?.find((each) => each.key === `${POLICY_LABEL}.${key}`)?.value;
  const namespace = label('namespace');
  if (label('derived-from') !== 'CiliumNetworkPolicy' || !namespace) return subject;
  const key = `k8s:${POD_NAMESPACE}`;
  return subject.matchLabels?.[key] === namespace ? subject : withLabel(subject, key, namespace);
}

/** Tiers have these numbers from 1.20 on. Before, all entries are of network policies. */
function orderOf({ Tier, Priority, Verdict }: PolicyEntry): Pick<Rule, 'order'> {
  const tier: Tier = Tier === TIERS.Admin ? 'Admin' : Tier === TIERS.Baseline ? 'Baseline' : 'Normal';
  const pass = Verdict === 2;
  if (Tier < TIERS.Admin || (tier === 'Normal' && Priority === 0 && !pass)) return {};
  return { order: { tier, priority: Priority, ...(pass && { pass }) } };
}

/** No list selects no peer, an empty one every peer. */
function peersOf(l3: PolicyEntry['L3'], fqdns: FqdnSelector[]): IngressRule {
  if (l3 === null) return { fromEndpoints: [] };
  const endpoints: LabelSelector[] = [];
  const cidrs: CidrRule[] = [];
  for (const peer of l3) {
    if (typeof peer !== 'string') endpoints.push(selectorOf(peer));
    else if (peer.startsWith('cidr:')) cidrs.push(cidrOf(peer.slice('cidr:'.length)));
    else fqdns.push(fqdnOf(peer));
  }
  return {
    ...(endpoints.length > 0 && { fromEndpoints: endpoints }),
    ...(cidrs.length > 0 && { fromCIDRSet: cidrs }),
  };
}

function mirrored({ fromEndpoints, fromCIDRSet, ...rest }: IngressRule, fqdns: FqdnSelector[]) {
  return {
    ...rest,
    ...(fromEndpoints && { toEndpoints: fromEndpoints }),
    ...(fromCIDRSet && { toCIDRSet: fromCIDRSet }),
    ...(fqdns.length > 0 && { toFQDNs: fqdns }),
  };
}

/** `10.0.0.0/8-[10.1.0.0/16 10.2.0.0/16]`. */
function cidrOf(text: string): CidrRule {
  const match = /^([^-]+)-\[(.*)\]$/.exec(text);
  if (!match?.[1]) return { cidr: text };
  return { cidr: match[1], except: (match[2] ?? '').split(/[\s,]+/).filter(Boolean) };
}

/** `MatchName: a.example.com, MatchPattern: `. */
function fqdnOf(text: string): FqdnSelector {
  const match = /^MatchName: (.*?), MatchPattern: (.*)$/.exec(text);
  return match?.[1] ? { matchName: match[1] } : { matchPattern: match?.[2] ?? text };
}

/** The agent prints keys as `source.key` here. */
function selectorOf({ matchLabels, matchExpressions }: LabelSelector): LabelSelector {
  return {
    ...(matchLabels && {
      matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [colon(key), value])),
    }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((each) => ({ ...each, key: colon(each.key) })),
    }),
  };
}

function colon(key: string): string {
  return key.includes(':') ? key : key.replace('.', ':');
}
