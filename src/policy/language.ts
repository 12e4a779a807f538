import {
  checkCidr,
  checkCidrRule,
  checkFqdn,
  checkHttp,
  checkIcmp,
  checkKafka,
  checkL7Rules,
  checkPort,
  checkPortRule,
  checkPorts,
  checkRequirement,
  finishPort,
} from './checks.ts';
import { bool, type Cursor, type Decode, integer, list, object, oneOf, text, texts } from './decode.ts';
import { checkLabelKey, checkLabelValue, parseLabel, selectorKey } from './label.ts';
import {
  type Authentication,
  type CidrRule,
  ENTITIES,
  type Entity,
  type FqdnSelector,
  type Group,
  type HeaderMatch,
  type HttpRule,
  type IcmpField,
  type IcmpRule,
  type KafkaRule,
  type L7Rules,
  type LabelSelector,
  type Listener,
  OPERATORS,
  type PortDenyRule,
  type PortProtocol,
  type PortRule,
  PROTOCOLS,
  type Protocol,
  type Requirement,
  type RuleLabel,
  type SecretRef,
  type Service,
  type TlsContext,
} from './rule.ts';

/** The parts of the policy language, each with its fields in the order in which the agent prints them. */

type KeyRule = (written: string, at: Cursor) => string;

const agentKey: KeyRule = (written, at) => {
  const key = selectorKey(written);
  checkLabelKey(key.replace(':', '.'), written, at);
  return key;
};

const plainKey: KeyRule = (written, at) => {
  if (written.includes(':'))
    at.fail(
      'label-key',
      `invalid label selector: key "${written}" may not have a source`,
      'Leave out what is before ":".',
    );
  else checkLabelKey(written, written, at);
  return written;
};

function selectorOf(key: KeyRule): Decode<LabelSelector> {
  const requirement = object<Requirement>({
    name: 'a match expression',
    fields: {
      key: { decode: text((value, at) => key(value, at)), required: true },
      operator: {
        decode: oneOf(
          OPERATORS,
          (word) => `invalid label selector: "${word}" is not a valid label selector operator`,
        ),
        required: true,
      },
      values: { decode: list(text(checkLabelValue)) },
    },
    check: checkRequirement,
  });
  return object<LabelSelector>({
    name: 'a selector',
    fields: {
      matchLabels: { decode: texts(key, text(checkLabelValue)) },
      matchExpressions: { decode: list(requirement) },
    },
  });
}

/** Selects endpoints (or nodes): keys get their source. */
export const SELECTOR = selectorOf(agentKey);
/** Selects Kubernetes objects by their own labels. */
export const PLAIN_SELECTOR = selectorOf(plainKey);

/** The label of a rule: an object, or `source:key=value`. */
export const RULE_LABEL: Decode<RuleLabel> = (value, at) => {
  if (typeof value === 'string') {
    const label = parseLabel(value, 'unspec');
    return label.key === '' ? at.fail('label', 'a label must have a key') : label;
  }
  return LABEL_OBJECT(value, at);
};

const LABEL_OBJECT = object<RuleLabel>({
  name: 'a label',
  fields: { key: { decode: text(), required: true }, value: { decode: text() }, source: { decode: text() } },
  check: (label, at) => {
    if (label.key === '') at.fail('label', 'a label must have a key');
    label.value ??= '';
    label.source ??= '';
  },
});

const ENTITY: Decode<Entity> = (value, at) => {
  const entity = oneOf(ENTITIES, (word) => `unsupported entity: ${word}`)(value, at);
  const since = entity && ENTITY_SINCE[entity];
  if (since && !at.reaches(since))
    at.fail(
      'release',
      `Cilium ${at.options.target} does not know the entity "${entity}"`,
      `It came with ${since}.`,
    );
  return entity;
};

const ENTITY_SINCE: Partial<Record<Entity, string>> = {
  'kube-apiserver': '1.11',
  ingress: '1.13',
  unmanaged: '1.10',
  'world-ipv4': '1.15',
  'world-ipv6': '1.15',
};

function cidrRuleOf(groupsSince: string): Decode<CidrRule> {
  return object<CidrRule>({
    name: 'a CIDR set',
    fields: {
      cidr: { decode: text() },
      cidrGroupRef: { decode: text(), since: groupsSince },
      cidrGroupSelector: { decode: PLAIN_SELECTOR, since: '1.17' },
      except: { decode: list(text()) },
    },
    check: checkCidrRule,
  });
}

const GROUP = object<Group>({
  name: 'a group',
  fields: {
    aws: {
      decode: object<NonNullable<Group['aws']>>({
        name: 'an AWS group',
        fields: {
          labels: { decode: texts((name) => name, text()) },
          securityGroupsIds: { decode: list(text()) },
          securityGroupsNames: { decode: list(text()) },
          region: { decode: text() },
        },
      }),
    },
  },
});

const SERVICE = object<Service>({
  name: 'a service',
  fields: {
    k8sServiceSelector: {
      decode: object<NonNullable<Service['k8sServiceSelector']>>({
        name: 'a service selector',
        fields: { selector: { decode: PLAIN_SELECTOR, required: true }, namespace: { decode: text() } },
      }),
    },
    k8sService: {
      decode: object<NonNullable<Service['k8sService']>>({
        name: 'a service by name',
        fields: { serviceName: { decode: text() }, namespace: { decode: text() } },
      }),
    },
  },
});

const REQUIRES = {
  decode: list(SELECTOR),
  until: '1.19',
  instead: 'Put the same conditions into the selectors of fromEndpoints or toEndpoints.',
};
const NODES = { decode: list(SELECTOR), since: '1.16' };

export const INGRESS_PEERS = {
  fromEndpoints: { decode: list(SELECTOR) },
  fromRequires: REQUIRES,
  fromCIDR: { decode: list(text(checkCidr)) },
  fromCIDRSet: { decode: list(cidrRuleOf('1.13')) },
  fromEntities: { decode: list(ENTITY) },
  fromGroups: { decode: list(GROUP), since: '1.16' },
  fromNodes: NODES,
} as const;

export const EGRESS_PEERS = {
  toEndpoints: { decode: list(SELECTOR) },
  toRequires: REQUIRES,
  toCIDR: { decode: list(text(checkCidr)) },
  toCIDRSet: { decode: list(cidrRuleOf('1.15')) },
  toEntities: { decode: list(ENTITY) },
  toServices: { decode: list(SERVICE) },
  toGroups: { decode: list(GROUP) },
  toNodes: NODES,
} as const;

const PROTOCOL_SINCE: Partial<Record<Protocol, string>> = { SCTP: '1.12', VRRP: '1.18', IGMP: '1.18' };
const WRITABLE = PROTOCOLS.filter((protocol) => !protocol.startsWith('ICMP'));

const PROTOCOL: Decode<Protocol> = (value, at) => {
  const upper = typeof value === 'string' ? value.toUpperCase() || 'ANY' : value;
  const wrong = (word: string) =>
    `invalid protocol ${JSON.stringify(word)}, must be { tcp | udp | sctp | any }`;
  if (upper === 'ICMP' || upper === 'ICMPV6') {
    return at.fail('protocol', wrong(upper), 'For ICMP write "icmps" in place of "toPorts".');
  }
  const protocol = oneOf(WRITABLE, wrong)(upper, at);
  const since = protocol && PROTOCOL_SINCE[protocol];
  if (since && !at.reaches(since))
    at.fail(
      'release',
      `Cilium ${at.options.target} does not know the protocol ${protocol}`,
      `It came with ${since}.`,
    );
  return protocol;
};

const PORT: Decode<string> = (value, at) => {
  if (typeof value !== 'number') return text(checkPort)(value, at);
  at.fail('type', 'expected a text, found a number', `A port is written in quotes: "${value}".`);
  return checkPort(String(value), at);
};

const PORTS = {
  decode: list(
    object<PortProtocol>({
      name: 'a port',
      fields: {
        port: { decode: PORT },
        endPort: { decode: integer(0, 65535), since: '1.16' },
        protocol: { decode: PROTOCOL },
      },
      check: (port, at, given) => {
        // VRRP and IGMP have no ports, so there the field may be left out.
        const portless = port.protocol === 'VRRP' || port.protocol === 'IGMP';
        if (given.port === undefined && portless) port.port = '0';
        if (given.port === undefined && !portless)
          at.fail('port', 'Port must be specified', '"0" stands for every port.');
        else finishPort(port, at);
      },
    }),
    checkPorts,
  ),
};

const SECRET = object<SecretRef>({
  name: 'a secret',
  fields: { namespace: { decode: text() }, name: { decode: text(), required: true } },
  check: ({ name }, at) => {
    if (name === '') at.fail('secret', 'Secret name missing', undefined, ['name']);
  },
});

const TLS = {
  decode: object<TlsContext>({
    name: 'a TLS context',
    fields: {
      secret: { decode: SECRET, required: true },
      trustedCA: { decode: text() },
      certificate: { decode: text() },
      privateKey: { decode: text() },
    },
  }),
};

const LISTENER = object<Listener>({
  name: 'a listener',
  fields: {
    envoyConfig: {
      decode: object<Listener['envoyConfig']>({
        name: 'a reference to an Envoy configuration',
        fields: {
          kind: {
            decode: oneOf(
              ['CiliumEnvoyConfig', 'CiliumClusterwideEnvoyConfig'],
              (word) => `"${word}" is no kind of Envoy configuration`,
            ),
          },
          name: { decode: text(), required: true },
        },
      }),
      required: true,
    },
    name: { decode: text(), required: true },
    priority: { decode: integer(1, 100), since: '1.16' },
  },
});

const HEADER_MATCH = object<HeaderMatch>({
  name: 'a header match',
  fields: {
    mismatch: {
      decode: oneOf(['LOG', 'ADD', 'DELETE', 'REPLACE'], (word) => `Invalid header action: ${word}`),
    },
    name: { decode: text(), required: true },
    secret: { decode: SECRET },
    value: { decode: text() },
  },
});

const HTTP = object<HttpRule>({
  name: 'an HTTP rule',
  fields: {
    path: { decode: text() },
    method: { decode: text() },
    host: { decode: text() },
    headers: { decode: list(text()) },
    headerMatches: { decode: list(HEADER_MATCH) },
  },
  check: checkHttp,
});

const KAFKA = object<KafkaRule>({
  name: 'a Kafka rule',
  fields: {
    role: { decode: text() },
    apiKey: { decode: text() },
    apiVersion: { decode: text() },
    clientID: { decode: text() },
    topic: { decode: text() },
  },
  check: checkKafka,
});

/** `matchName` or `matchPattern`. */
export const FQDN = object<FqdnSelector>({
  name: 'a DNS selector',
  fields: { matchName: { decode: text() }, matchPattern: { decode: text() } },
  check: checkFqdn,
});

const KAFKA_LIST: Decode<KafkaRule[]> = (value, at) => {
  if (at.reaches('1.18') && at.options.target !== undefined)
    at.warn(
      'deprecated',
      'Kafka rules are deprecated and leave Cilium after 1.20',
      'Without them the port itself can still be opened or closed: keep the item of "toPorts" and drop "rules".',
    );
  return list(KAFKA)(value, at);
};

const L7_RULES = object<L7Rules>({
  name: 'L7 rules',
  fields: {
    http: { decode: list(HTTP) },
    kafka: { decode: KAFKA_LIST },
    dns: { decode: list(FQDN) },
    l7proto: { decode: text((value) => value || undefined) },
    l7: { decode: list(texts((name) => name, text())) },
  },
  check: checkL7Rules,
});

const SERVER_NAME = text((value, at) =>
  value === '' ? at.fail('server-names', 'Empty server name is not allowed') : value,
);

/** An item of toPorts below ingress or egress. */
export function portRuleOf(direction: 'ingress' | 'egress'): Decode<PortRule> {
  return object<PortRule>({
    name: 'a port rule',
    fields: {
      ports: PORTS,
      terminatingTLS: TLS,
      originatingTLS: TLS,
      serverNames: { decode: list(SERVER_NAME), since: '1.10' },
      listener: { decode: LISTENER, since: '1.12' },
      rules: { decode: L7_RULES },
    },
    check: (rule, at) => checkPortRule(rule, at, direction),
  });
}

/** An item of toPorts below ingressDeny or egressDeny. */
export const PORT_DENY_RULE = object<PortDenyRule>({
  name: 'a port rule of a deny rule, which knows no L7',
  fields: { ports: PORTS },
});

const ICMP_TYPE: Decode<number | string> = (value, at) =>
  typeof value === 'number' ? value : text()(value, at);

export const ICMPS = {
  decode: list(
    object<IcmpRule>({
      name: 'an ICMP rule',
      fields: {
        fields: {
          decode: list(
            object<IcmpField>({
              name: 'an ICMP type',
              fields: {
                family: { decode: oneOf(['IPv4', 'IPv6'], (word) => `wrong family: ${word}`) },
                type: { decode: ICMP_TYPE, required: true },
              },
              check: checkIcmp,
            }),
            (fields, at) => {
              if (fields.length > 40) at.fail('icmp', 'too many types, the max is 40');
            },
          ),
        },
      },
    }),
  ),
  since: '1.11',
};

export const AUTHENTICATION = {
  decode: object<Authentication>({
    name: 'an authentication',
    fields: {
      mode: {
        decode: oneOf(
          ['disabled', 'required', 'test-always-fail'],
          (word) => `"${word}" is no mode of authentication`,
        ),
        required: true,
      },
    },
  }),
  since: '1.14',
};

export const DEFAULT_DENY = {
  decode: object<{ ingress?: boolean; egress?: boolean }>({
    name: 'a default-deny switch',
    fields: { ingress: { decode: bool }, egress: { decode: bool } },
  }),
  since: '1.16',
};
