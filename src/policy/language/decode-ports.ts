import type { Release } from '../../model/release.ts';
import {
  type FqdnSelector,
  type HeaderMatch,
  type HttpRule,
  type IcmpField,
  type IcmpRule,
  type KafkaRule,
  type L7Rules,
  type Listener,
  type PortDenyRule,
  type PortProtocol,
  type PortRule,
  PROTOCOLS,
  type Protocol,
  type SecretRef,
  type TlsContext,
} from '../rule.ts';
import {
  checkFqdn,
  checkHttp,
  checkIcmp,
  checkKafka,
  checkL7Rules,
  checkPort,
  checkPortRule,
  checkPorts,
  finishPort,
  portNumber,
} from './check-ports.ts';
import {
  type Cursor,
  type Decode,
  type Field,
  integer,
  list,
  object,
  oneOf,
  text,
  texts,
} from './decoders.ts';

/** The parts of the policy language about ports, L7 rules and ICMP types. */

const PROTOCOL_SINCE: Partial<Record<Protocol, Release>> = {
  SCTP: '1.13',
  VRRP: '1.19',
  IGMP: '1.19',
  GRE: '1.20',
  IPIP: '1.20',
  IPV6: '1.20',
  ESP: '1.20',
  AH: '1.20',
};
/** Protocols of the network layer: they have no ports. */
const PORTLESS: readonly Protocol[] = ['VRRP', 'IGMP', 'GRE', 'IPIP', 'IPV6', 'ESP', 'AH'];
const WRITABLE = PROTOCOLS.filter((protocol) => !protocol.startsWith('ICMP'));

const PROTOCOL: Decode<Protocol> = (value, at) => {
  const upper = typeof value === 'string' ? value.toUpperCase() || 'ANY' : value;
  const extended = at.options.target !== undefined && at.reaches('1.20');
  const names = extended
    ? 'tcp | udp | sctp | vrrp | igmp | gre | ipip | ipv6 | esp | ah | any'
    : 'tcp | udp | sctp | any';
  const wrong = (word: string) => `invalid protocol ${JSON.stringify(word)}, must be { ${names} }`;
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
  at.fail('type', 'expected a string, found a number', at.quoted(value));
  return checkPort(String(value), at);
};

const PORT_FIELDS = {
  port: { decode: PORT },
  endPort: { decode: integer(0, 65535), since: '1.16' },
  protocol: { decode: PROTOCOL },
} as const;

/** Fills in what a port leaves unsaid. */
function finishGiven(port: PortProtocol, at: Cursor, given: Readonly<Record<string, unknown>>): void {
  const { protocol } = port;
  const portless = protocol !== undefined && PORTLESS.includes(protocol);
  const unset = given.port === undefined || given.port === null;
  if (unset && portless) port.port = '0';
  if (unset && !portless) at.fail('port', 'Port must be specified', '"0" stands for every port.');
  else finishPort(port, at);
  if (portless) checkPortless(port, at);
}

const PORTS = {
  decode: list(
    object<PortProtocol>({
      name: 'a port',
      fields: PORT_FIELDS,
      check: finishGiven,
    }),
    checkPorts,
  ),
};

/** The datapath drops packets of these protocols unless the agent runs with the option. */
function checkPortless({ port, protocol }: PortProtocol, at: Cursor): void {
  if (port !== '0') at.fail('port', 'port must be empty or 0', `${protocol} has no ports.`, ['port']);
  at.warn(
    'option',
    `${protocol} needs the agent's option enable-extended-ip-protocols`,
    'Without it the agent drops this traffic, and refuses a rule that leaves out "port".',
    ['protocol'],
  );
}

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

/** Agents print an empty kind for none, and take it back; the API server does not. */
const ENVOY_KIND: Decode<NonNullable<Listener['envoyConfig']['kind']>> = (value, at) =>
  value === '' && at.options.form === 'rule'
    ? undefined
    : oneOf(
        ['CiliumEnvoyConfig', 'CiliumClusterwideEnvoyConfig'],
        (word) => `"${word}" is not a kind of Envoy configuration`,
      )(value, at);

const LISTENER = object<Listener>({
  name: 'a listener',
  fields: {
    envoyConfig: {
      decode: object<Listener['envoyConfig']>({
        name: 'a reference to an Envoy configuration',
        fields: {
          kind: { decode: ENVOY_KIND },
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
  if (at.reaches('1.18') && at.before('1.20') && at.options.target !== undefined)
    at.warn(
      'deprecated',
      'Kafka rules are deprecated, and Cilium 1.20 no longer takes them',
      'The port itself can still be allowed or denied: keep the item of "toPorts" and remove "rules".',
    );
  return list(KAFKA)(value, at);
};

const GONE = {
  until: '1.20',
  instead:
    'The port itself can still be allowed or denied: keep the item of "toPorts" and remove this part of "rules".',
} as const;

function l7Key(name: string, at: Cursor): string {
  if (name === '')
    at.fail('l7-key', 'Empty key not allowed', "Each key names a field of the parser's protocol.");
  return name;
}

const L7_RULES = object<L7Rules>({
  name: 'L7 rules',
  fields: {
    http: { decode: list(HTTP) },
    kafka: { decode: KAFKA_LIST, ...GONE },
    dns: { decode: list(FQDN) },
    l7proto: { decode: text((value) => value || undefined), ...GONE },
    l7: { decode: list(texts(l7Key, text())), ...GONE },
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
      serverNames: { decode: list(SERVER_NAME), since: '1.13' },
      listener: { decode: LISTENER, since: '1.13' },
      rules: { decode: L7_RULES },
    },
    check: (rule, at) => checkPortRule(rule, at, direction),
  });
}

/** Agents before 1.12.16, 1.13.9 and 1.14.4 do not fill in the protocol of a deny rule: it stays unstated up to 1.14. */
const DENY_PORTS = {
  decode: list(
    object<PortProtocol>({
      name: 'a port',
      fields: PORT_FIELDS,
      check: (port, at, given) => {
        const unstated = port.protocol === undefined;
        finishGiven(port, at, given);
        const { target, keepUnstated } = at.options;
        if (!unstated || (at.reaches('1.15') && !keepUnstated)) return;
        delete port.protocol;
        if (keepUnstated) return;
        // A port that is missing or wrong was complained of.
        const { port: number }: Partial<PortProtocol> = port;
        if (number === undefined || portNumber(number) === 0) return;
        at.warn(
          'no-effect',
          at.reaches('1.12')
            ? 'agents before 1.12.16, 1.13.9 and 1.14.4 deny nothing by a port without a protocol'
            : `Cilium ${target} denies nothing by a port without a protocol`,
          'Write "protocol": "ANY".',
        );
      },
    }),
    checkPorts,
  ),
};

/** An item of toPorts below ingressDeny or egressDeny. */
export const PORT_DENY_RULE = object<PortDenyRule>({
  name: 'a port rule of a deny rule, which cannot have L7 rules',
  fields: { ports: DENY_PORTS },
});

const ICMP_TYPE: Decode<number | string> = (value, at) => {
  if (typeof value === 'number') return value;
  const name = text()(value, at);
  if (name !== undefined && !at.reaches('1.16'))
    at.fail(
      'release',
      `Cilium ${at.options.target} does not know ICMP types by name`,
      'That came with 1.16. Write the number.',
    );
  return name;
};

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
} satisfies Field<IcmpRule[]>;
