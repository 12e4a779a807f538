import type {
  EgressDenyRule,
  EgressRule,
  IngressDenyRule,
  IngressRule,
  PortRule,
  Rule,
  RuleLog,
} from '../rule.ts';
import {
  AUTHENTICATION,
  DEFAULT_DENY,
  EGRESS_PEERS,
  INGRESS_PEERS,
  RULE_LABEL,
  SELECTOR,
} from './decode-peers.ts';
import { FQDN, ICMPS, PORT_DENY_RULE, portRuleOf } from './decode-ports.ts';
import { type Cursor, type Decode, type Fields, list, object, text } from './decoders.ts';

/** A rule as users write it: `enableDefaultDeny` may be missing, whole or in part. */
type WrittenRule = Omit<Rule, 'enableDefaultDeny' | 'order'> & {
  enableDefaultDeny?: { ingress?: boolean; egress?: boolean };
};

const INGRESS = object<Omit<IngressRule, 'fromNamespaces'>>({
  name: 'an ingress rule',
  fields: {
    ...INGRESS_PEERS,
    toPorts: { decode: list(portRuleOf('ingress')) },
    icmps: ICMPS,
    authentication: AUTHENTICATION,
  },
  check: checkDirection,
});

const INGRESS_DENY = object<Omit<IngressDenyRule, 'fromNamespaces'>>({
  name: 'an ingress deny rule',
  fields: { ...INGRESS_PEERS, toPorts: { decode: list(PORT_DENY_RULE) }, icmps: ICMPS },
  check: checkDirection,
});

const EGRESS = object<Omit<EgressRule, 'toNamespaces'>>({
  name: 'an egress rule',
  fields: {
    ...EGRESS_PEERS,
    toPorts: { decode: list(portRuleOf('egress')) },
    toFQDNs: { decode: list(FQDN) },
    icmps: ICMPS,
    authentication: AUTHENTICATION,
  },
  check: checkDirection,
});

const EGRESS_DENY = object<Omit<EgressDenyRule, 'toNamespaces'>>({
  name: 'an egress deny rule',
  fields: { ...EGRESS_PEERS, toPorts: { decode: list(PORT_DENY_RULE) }, icmps: ICMPS },
  check: checkDirection,
});

const FIELDS: Fields<WrittenRule> = {
  endpointSelector: { decode: SELECTOR },
  nodeSelector: { decode: SELECTOR, since: '1.8' },
  ingress: { decode: list(INGRESS) },
  ingressDeny: { decode: list(INGRESS_DENY), since: '1.9' },
  egress: { decode: list(EGRESS) },
  egressDeny: { decode: list(EGRESS_DENY), since: '1.9' },
  labels: { decode: list(RULE_LABEL) },
  enableDefaultDeny: DEFAULT_DENY,
  description: { decode: text() },
  log: {
    decode: object<RuleLog>({
      name: 'a log setting',
      fields: {
        value: {
          decode: text((value, at) =>
            value.length <= 32 && !/\p{C}/u.test(value)
              ? value
              : at.fail('log', 'a log value is at most 32 printable characters'),
          ),
        },
      },
    }),
    since: '1.18',
  },
};

const WRITTEN = object<WrittenRule>({ name: 'a rule', fields: FIELDS, check: checkRule });

/**
 * Checks one rule in the agent's form and normalizes it. All errors are reported to the cursor; the result contains the
 * parts without errors. Undefined when the value is not an object.
 */
export const decodeRule: Decode<Rule> = (value, at) => {
  const written = WRITTEN(value, at);
  if (written === undefined) return undefined;
  const {
    endpointSelector,
    nodeSelector,
    ingress,
    ingressDeny,
    egress,
    egressDeny,
    labels,
    enableDefaultDeny,
  } = written;
  const { description, log } = written;
  return {
    ...(endpointSelector && { endpointSelector }),
    ...(nodeSelector && { nodeSelector }),
    ...(ingress && { ingress }),
    ...(ingressDeny && { ingressDeny }),
    ...(egress && { egress }),
    ...(egressDeny && { egressDeny }),
    ...(labels && { labels }),
    enableDefaultDeny: {
      ingress: enableDefaultDeny?.ingress ?? (count(ingress) > 0 || count(ingressDeny) > 0),
      egress: enableDefaultDeny?.egress ?? (count(egress) > 0 || count(egressDeny) > 0),
    },
    ...(description && { description }),
    ...(log && { log }),
  };
};

function count(items: readonly unknown[] | undefined): number {
  return items?.length ?? 0;
}

function checkRule(rule: WrittenRule, at: Cursor, given: Readonly<Record<string, unknown>>): void {
  if (rule.endpointSelector && rule.nodeSelector)
    at.fail('selector', 'rule cannot have both EndpointSelector and NodeSelector', undefined, [
      'nodeSelector',
    ]);
  if (!rule.endpointSelector && !rule.nodeSelector && !failedBelow(at, 'endpointSelector', 'nodeSelector'))
    at.fail(
      'selector',
      'rule must have one of EndpointSelector or NodeSelector',
      'An empty "endpointSelector" selects every endpoint.',
    );
  checkSections(rule, at, given);
  if (rule.nodeSelector) checkHostL7(rule, at);
}

const SECTIONS = ['ingress', 'ingressDeny', 'egress', 'egressDeny'] as const;

/** An empty section, or one that is null, says nothing: it counts as absent. Released agents refuse a rule without sections since 1.17. */
function checkSections(rule: WrittenRule, at: Cursor, given: Readonly<Record<string, unknown>>): void {
  const unknown = at.complaints.some(({ code }) => code === 'unknown-field');
  const empty = SECTIONS.filter((section) => given[section] === null || rule[section]?.length === 0);
  if (SECTIONS.some((section) => count(rule[section]) > 0)) {
    for (const section of empty)
      at.warn(
        'no-effect',
        `an empty "${section}" has no effect`,
        section.endsWith('Deny')
          ? 'Remove it.'
          : `To deny all ${section} write "${section}": [{}]; else remove it.`,
        [section],
      );
    return;
  }
  if (unknown || failedBelow(at, ...SECTIONS)) return;
  const message = 'rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny';
  const hint = `Without one${empty.length > 0 ? ' that is not empty' : ''} the rule has no effect${
    at.reaches('1.17') ? ', and agents from 1.17 on refuse it' : ''
  }; "ingress": [{}] denies all ingress.`;
  // Rules in the agent's own form are checked for 1.17 unless told otherwise, and its early builds took such a rule.
  const refused = at.reaches(at.options.form === 'kubernetes' ? '1.17' : '1.18');
  if (refused) at.fail('no-effect', message, hint);
  else at.warn('no-effect', message, hint);
}

function failedBelow(at: Cursor, ...fields: string[]): boolean {
  return at.complaints.some(
    ({ severity, path }) => severity === 'error' && path.some((step) => fields.includes(String(step))),
  );
}

/** A host policy cannot send traffic through a proxy; DNS rules for egress came with 1.17, which no longer asks for other protocols there. */
function checkHostL7(rule: WrittenRule, at: Cursor): void {
  const sections = [
    ['ingress', rule.ingress],
    ['egress', rule.egress],
  ] as const;
  for (const [section, items = []] of sections)
    for (const [i, { toPorts = [] }] of items.entries())
      for (const [j, port] of toPorts.entries()) {
        const why = whyNotOnHost(section, l7Kinds(port), at);
        if (why) at.fail('host-l7', why, undefined, [section, i, 'toPorts', j, 'rules']);
      }
}

function whyNotOnHost(
  section: 'ingress' | 'egress',
  kinds: readonly string[],
  at: Cursor,
): string | undefined {
  if (kinds.length === 0) return undefined;
  if (!at.reaches('1.17')) return 'host policies do not support L7 rules yet';
  if (section === 'ingress') return 'L7 policy is not supported on host ingress yet';
  const wrong = kinds.find((kind) => kind === 'HTTP' || kind === 'Kafka');
  return wrong && `L7 protocol ${wrong} is not supported on host egress yet`;
}

function l7Kinds({ rules }: PortRule): string[] {
  return [
    ...(rules?.dns?.length ? ['DNS'] : []),
    ...(rules?.http?.length ? ['HTTP'] : []),
    ...(rules?.kafka?.length ? ['Kafka'] : []),
    ...(rules?.l7?.length ? ['other'] : []),
  ];
}

/** The fields that select peers; the agent accepts one of them per rule. */
const PEERS: Readonly<Record<string, string>> = {
  fromEndpoints: 'FromEndpoints',
  fromCIDR: 'FromCIDR',
  fromCIDRSet: 'FromCIDRSet',
  fromEntities: 'FromEntities',
  fromNodes: 'FromNodes',
  fromGroups: 'FromGroups',
  toEndpoints: 'ToEndpoints',
  toCIDR: 'ToCIDR',
  toCIDRSet: 'ToCIDRSet',
  toEntities: 'ToEntities',
  toServices: 'ToServices',
  toFQDNs: 'ToFQDNs',
  toGroups: 'ToGroups',
  toNodes: 'ToNodes',
};

function checkDirection(rule: IngressRule | IngressDenyRule | EgressRule | EgressDenyRule, at: Cursor): void {
  const given = Object.entries(rule).filter(
    (entry): entry is [string, unknown[]] => Object.hasOwn(PEERS, entry[0]) && Array.isArray(entry[1]),
  );
  const [first, ...others] = given.filter(([, peers]) => peers.length > 0).map(([name]) => name);
  for (const other of others) {
    at.fail(
      'combination',
      `Combining ${PEERS[first ?? '']} and ${PEERS[other]} is not supported yet`,
      'Write one rule for each.',
      [other],
    );
  }
  for (const [name, peers] of given) {
    if (peers.length === 0 && at.options.form === 'rule' && others.length === 0 && first === undefined)
      at.warn(
        'empty-peers',
        `an empty "${name}" is dropped when it is sent to the agent, so it selects every peer`,
        'Remove the rule to select no peer.',
        [name],
      );
  }
  if (first === 'toServices' && count(rule.toPorts) > 0 && at.reaches('1.14') && at.before('1.17'))
    at.fail('combination', 'Combining ToServices and ToPorts is not supported yet', undefined, ['toPorts']);
  if (count(rule.icmps) > 0 && count(rule.toPorts) > 0)
    at.fail(
      'combination',
      'The ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts.',
      undefined,
      ['icmps'],
    );
}
