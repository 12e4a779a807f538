import type { LabelSelector } from '../../model/selector.ts';
import { checkCidr } from '../language/check-peers.ts';
import { PLAIN_SELECTOR } from '../language/decode-peers.ts';
import { type Cursor, type Decode, integer, list, object, oneOf, text } from '../language/decoders.ts';

/** The spec of a ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2) as the API server and agents check it. */

/** The spec as users write it. */
export interface ClusterPolicySpec {
  tier: 'Admin' | 'Baseline';
  priority: number;
  subject: Subject;
  ingress?: Item[];
  egress?: Item[];
}

export interface Subject {
  namespaces?: LabelSelector;
  pods?: NamespacedPod;
}

interface NamespacedPod {
  namespaceSelector?: LabelSelector;
  podSelector: LabelSelector;
}

export interface Peer extends Subject {
  nodes?: LabelSelector;
  networks?: string[];
  domainNames?: string[];
}

type Action = 'Accept' | 'Deny' | 'Pass';

export interface Item {
  name?: string;
  action: Action;
  from?: Peer[];
  to?: Peer[];
  protocols?: ProtocolMatch[];
}

export interface Ports {
  destinationPort?: { number?: number; range?: { start: number; end: number } };
}

export interface ProtocolMatch {
  tcp?: Ports;
  udp?: Ports;
  sctp?: Ports;
  destinationNamedPort?: string;
}

/** Items in a list of rules, peers, protocols, prefixes or names. */
const MOST = 25;

function items<T>(what: string, least: number, item: Decode<T>): Decode<T[]> {
  const decode = list(item);
  return (value, at) => {
    const count = Array.isArray(value) ? value.length : undefined;
    if (count !== undefined && count > MOST)
      at.fail('range', `${count} ${what} are too many`, `At most ${MOST}.`);
    if (count !== undefined && count < least)
      at.fail(
        'missing',
        `the list must not be empty`,
        `Leave the field out, or name at least one of its ${what}.`,
      );
    return decode(value, at);
  };
}

/** As the API server does of an object that must have exactly one of its fields. One that is wrong in itself counts. */
function oneField<T extends object>(what: string) {
  return (value: T, at: Cursor, given: Readonly<Record<string, unknown>>): void => {
    const named = Object.keys(given).filter((name) => given[name] !== undefined && given[name] !== null);
    const [first, ...others] = at.options.strict ? named : named.filter((name) => Object.hasOwn(value, name));
    if (first === undefined) at.fail('combination', `${what} must have exactly one field, and has none`);
    for (const other of others.filter((name) => Object.hasOwn(value, name)))
      at.fail('combination', `${what} must have exactly one field: "${first}" is there too`, undefined, [
        other,
      ]);
  };
}

const NAMESPACED_POD = object<NamespacedPod>({
  name: '"pods"',
  fields: {
    namespaceSelector: { decode: PLAIN_SELECTOR },
    podSelector: { decode: PLAIN_SELECTOR, required: true },
  },
});

const PODS = { namespaces: { decode: PLAIN_SELECTOR }, pods: { decode: NAMESPACED_POD } } as const;

/** Fields of the peers of other policies, of this API as it was, and of egress. */
const PEER_HINTS = {
  namespaceSelector: 'Write "namespaces" for all pods of the namespaces, or "pods" with a podSelector too.',
  podSelector: 'It belongs inside "pods".',
  matchLabels: 'It belongs inside "namespaces", or inside a selector of "pods".',
  sameLabels: 'No release reads it.',
  notSameLabels: 'No release reads it.',
  ipBlock: 'Use "networks" of an egress rule.',
  nodes: 'Peers of an ingress rule are pods: "namespaces" or "pods".',
  networks: 'Peers of an ingress rule are pods: "namespaces" or "pods".',
  domainNames: 'Peers of an ingress rule are pods: "namespaces" or "pods".',
};

const SUBJECT = object<Subject>({
  name: 'a subject',
  fields: PODS,
  instead: PEER_HINTS,
  check: oneField('a subject'),
});
const SOURCE = object<Subject>({
  name: 'a peer of "from"',
  fields: PODS,
  instead: PEER_HINTS,
  check: oneField('a peer'),
});

const NETWORK: Decode<string> = text((value, at) => {
  if (value.includes('/')) return checkCidr(value, at);
  return at.fail('cidr', 'Invalid CIDR format provided', 'Expected address/length such as 10.0.0.0/8.');
});

const DOMAIN =
  /^(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

const DOMAIN_NAME: Decode<string> = text((value, at) =>
  DOMAIN.test(value)
    ? value
    : at.fail(
        'fqdn',
        `${JSON.stringify(value)} is not a domain name`,
        'At least two labels; "*." may stand in front of them for any number of labels.',
      ),
);

const DESTINATION = object<Peer>({
  name: 'a peer of "to"',
  fields: {
    ...PODS,
    nodes: { decode: PLAIN_SELECTOR },
    networks: { decode: distinct(items('prefixes', 1, NETWORK)) },
    domainNames: { decode: distinct(items('names', 1, DOMAIN_NAME)) },
  },
  instead: PEER_HINTS,
  check: oneField('a peer'),
});

/** The API server takes each value of such a list once. */
function distinct(decode: Decode<string[]>): Decode<string[]> {
  return (value, at) => {
    const found = decode(value, at);
    for (const [i, each] of (found ?? []).entries())
      if (found?.indexOf(each) !== i) at.fail('duplicate', `${JSON.stringify(each)} is there twice`);
    return found;
  };
}

const NUMBER = integer(1, 65535);

const PORTS = object<Ports>({
  name: 'a match of a protocol',
  fields: {
    destinationPort: {
      required: true,
      decode: object<NonNullable<Ports['destinationPort']>>({
        name: 'a port',
        fields: {
          number: { decode: NUMBER },
          range: {
            decode: object<{ start: number; end: number }>({
              name: 'a range of ports',
              fields: {
                start: { decode: NUMBER, required: true },
                end: { decode: NUMBER, required: true },
              },
              check: ({ start, end }, at) => {
                if (start >= end)
                  at.fail('end-port', 'Start port must be less than End port', undefined, ['end']);
              },
            }),
          },
        },
        check: oneField('a port'),
      }),
    },
  },
});

const PROTOCOL_MATCH = object<ProtocolMatch>({
  name: 'an item of "protocols"',
  fields: {
    tcp: { decode: PORTS },
    udp: { decode: PORTS },
    sctp: { decode: PORTS },
    destinationNamedPort: { decode: text() },
  },
  check: oneField('an item of "protocols"'),
});

const COMMON = {
  name: {
    decode: text((value, at) =>
      [...value].length <= 100 ? value : at.fail('range', 'a name has at most 100 characters'),
    ),
  },
  action: {
    decode: oneOf(['Accept', 'Deny', 'Pass'], (word) => `${JSON.stringify(word)} is not an action`),
    required: true,
  },
  protocols: { decode: items('protocols', 1, PROTOCOL_MATCH) },
} as const;

const RULE_HINTS = {
  ports: 'Write "protocols": [{tcp: {destinationPort: {number: 80}}}].',
  toPorts: 'Write "protocols": [{tcp: {destinationPort: {number: 80}}}].',
  from: 'An egress rule has "to".',
  to: 'An ingress rule has "from".',
};

const INGRESS = object<Omit<Item, 'to'>>({
  name: 'an ingress rule',
  instead: RULE_HINTS,
  fields: { ...COMMON, from: { decode: items('peers', 1, SOURCE), required: true } },
});

const EGRESS = object<Omit<Item, 'from'>>({
  name: 'an egress rule',
  instead: RULE_HINTS,
  fields: { ...COMMON, to: { decode: items('peers', 1, DESTINATION), required: true } },
  check: checkEgress,
});

function checkEgress({ action, to = [], protocols = [] }: Omit<Item, 'from'>, at: Cursor): void {
  const beyondPods = to.some((peer) => peer.networks ?? peer.nodes ?? peer.domainNames);
  const named = protocols.findIndex(({ destinationNamedPort }) => destinationNamedPort !== undefined);
  if (beyondPods && named >= 0)
    at.fail(
      'combination',
      'networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames',
      'Write two rules.',
      ['protocols', named, 'destinationNamedPort'],
    );
  const domains = to.findIndex(({ domainNames }) => domainNames !== undefined);
  if (domains >= 0 && action !== 'Accept')
    at.fail(
      'combination',
      'egress.to.domainNames is only supported for egress.action=Accept',
      'Agents refuse the whole policy. Accept the names, and deny other networks in a later rule.',
      ['to', domains, 'domainNames'],
    );
}

export const CLUSTER_POLICY_SPEC = object<ClusterPolicySpec>({
  name: 'the spec of a ClusterNetworkPolicy',
  instead: {},
  fields: {
    tier: {
      decode: oneOf(['Admin', 'Baseline'], (word) => `${JSON.stringify(word)} is not a tier`),
      required: true,
    },
    priority: { decode: integer(0, 1000), required: true },
    subject: { decode: SUBJECT, required: true },
    ingress: { decode: items('rules', 0, INGRESS) },
    egress: { decode: items('rules', 0, EGRESS) },
  },
  check: (_, at, { ingress, egress }) => {
    if (![ingress, egress].some((rules) => Array.isArray(rules) && rules.length > 0))
      at.warn('no-rules', 'a ClusterNetworkPolicy without rules changes nothing');
  },
});
