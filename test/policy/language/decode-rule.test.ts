import { describe, expect, test } from '@jest/globals';
import { atLeast } from '../../../src/model/release.ts';
import { decodeRule } from '../../../src/policy/language/decode-rule.ts';
import { Cursor, type DecodeOptions } from '../../../src/policy/language/decoders.ts';

/** The complaints about a rule for every endpoint, as `severity: message`. */
function complaints(parts: object, options: Partial<DecodeOptions> = {}): string[] {
  const at = new Cursor({ strict: true, form: 'rule', target: '1.17', ...options });
  decodeRule({ endpointSelector: {}, ...parts }, at);
  return at.complaints.map(({ severity, message }) => `${severity}: ${message}`);
}

const ports = (...list: object[]) => ({ ingress: [{ toPorts: [{ ports: list }] }] });
const kafka = (rule: object) => ({
  ingress: [{ toPorts: [{ ports: [{ port: '9092', protocol: 'TCP' }], rules: { kafka: [rule] } }] }],
});

describe('the last value that is right, and the first that is wrong', () => {
  test.each<[string, object, object, string]>([
    [
      'a port',
      ports({ port: '65535' }),
      ports({ port: '65536' }),
      'Unable to parse port: strconv.ParseUint: parsing "65536": value out of range',
    ],
    [
      'an octal port',
      ports({ port: '077' }),
      ports({ port: '078' }),
      'Unable to parse port: strconv.ParseUint: parsing "078": invalid syntax',
    ],
    [
      'the number of ports',
      ports(...Array.from({ length: 40 }, () => ({ port: '80' }))),
      ports(...Array.from({ length: 41 }, () => ({ port: '80' }))),
      'too many ports, the max is 40',
    ],
    [
      'the version of a Kafka API',
      kafka({ apiVersion: '32767' }),
      kafka({ apiVersion: '32768' }),
      'unable to parse APIVersion "32768"',
    ],
    [
      'the length of a Kafka topic',
      kafka({ topic: 'a'.repeat(255) }),
      kafka({ topic: 'a'.repeat(256) }),
      'kafka topic exceeds maximum len of 255',
    ],
    [
      'an ICMP type',
      { ingress: [{ icmps: [{ fields: [{ type: 255 }] }] }] },
      { ingress: [{ icmps: [{ fields: [{ type: 256 }] }] }] },
      'ICMP type 256 is out of range',
    ],
  ])('of %s', (_, right, wrong, message) => {
    expect(complaints(right)).toEqual([]);
    expect(complaints(wrong)).toEqual([`error: ${message}`]);
  });

  test('of a log value', () => {
    const log = (length: number) => ({ ingress: [{}], log: { value: 'x'.repeat(length) } });
    expect(complaints(log(32), { target: '1.20' })).toEqual([]);
    expect(complaints(log(33), { target: '1.20' })).toEqual([
      'error: a log value is at most 32 printable characters',
    ]);
  });

  test('of a range: one port is a range, none is not', () => {
    expect(complaints(ports({ port: '80', endPort: 80 }))).toEqual([]);
    expect(complaints(ports({ port: '80', endPort: 79 }))).toEqual([
      'warning: the range 80-79 is empty: only port 80 is selected',
    ]);
    expect(complaints(ports({ port: 'http', endPort: 80 }))).toEqual([
      'warning: "endPort" makes a range that begins with the number that a pod has for "http"',
    ]);
  });
});

describe('what a release takes', () => {
  test.each<[string, DecodeOptions['target'], object, string[]]>([
    [
      'DNS rules in a host policy before 1.17',
      '1.16',
      { endpointSelector: undefined, nodeSelector: {}, ...dnsEgress() },
      ['error: host policies do not support L7 rules yet'],
    ],
    [
      'other L7 rules for egress in a host policy before 1.17',
      '1.16',
      { endpointSelector: undefined, nodeSelector: {}, ...genericL7('egress') },
      ['error: host policies do not support L7 rules yet'],
    ],
    [
      'other L7 rules for egress in a host policy',
      '1.17',
      { endpointSelector: undefined, nodeSelector: {}, ...genericL7('egress') },
      [],
    ],
    [
      'other L7 rules for ingress in a host policy',
      '1.17',
      { endpointSelector: undefined, nodeSelector: {}, ...genericL7('ingress') },
      ['error: L7 policy is not supported on host ingress yet'],
    ],
    ['L7 rules for a range', '1.16', httpOfRange(), ['error: L7 rules do not support port ranges']],
    ['L7 rules for a range', '1.17', httpOfRange(), []],
    ['an ICMP type by its name', '1.16', icmp('IPv4', 'ExtendedEchoReply'), []],
    ['an ICMP type by its name', '1.20', icmp('IPv6', 'ExtendedEchoRequest'), []],
    [
      'an ICMP type by the name that the schema has for it, and agents have not',
      '1.20',
      icmp('IPv4', 'ExtendedEcho Reply'),
      ['error: IPv4 has no ICMP type called "ExtendedEcho Reply"'],
    ],
    [
      'DNS rules in a host policy',
      '1.17',
      { endpointSelector: undefined, nodeSelector: {}, ...dnsEgress() },
      [],
    ],
    [
      'services with ports from 1.14 to 1.16',
      '1.16',
      servicesWithPorts(),
      ['error: Combining ToServices and ToPorts is not supported yet'],
    ],
    ['services with ports', '1.13', servicesWithPorts(), []],
    ['services with ports', '1.17', servicesWithPorts(), []],
    ['every port', '1.10', ports({ port: '0' }), ['warning: Cilium 1.10 matches no traffic by port "0"']],
    ['every port', '1.14', ports({ port: '0' }), []],
    ['every port', '1.9', ports({ port: '0' }), ['error: Port cannot be 0']],
    [
      'a port of a protocol without ports',
      '1.20',
      ports({ port: '80', protocol: 'ESP' }),
      [
        'error: port must be empty or 0',
        "warning: ESP needs the agent's option enable-extended-ip-protocols",
      ],
    ],
    [
      'services with ports in any release',
      undefined,
      servicesWithPorts(),
      ['error: Combining ToServices and ToPorts is not supported yet'],
    ],
    ['a Kafka rule', '1.17', kafka({ topic: 'a' }), []],
    [
      'a Kafka rule',
      '1.19',
      kafka({ topic: 'a' }),
      ['warning: Kafka rules are deprecated, and Cilium 1.20 no longer takes them'],
    ],
    ['a Kafka rule', '1.20', kafka({ topic: 'a' }), ['error: Cilium 1.20 no longer takes "kafka"']],
    ['a Kafka rule in any release', undefined, kafka({ topic: 'a' }), []],
    ['conditions of other rules', '1.17', { ingress: [{ fromRequires: [{}] }] }, []],
    [
      'conditions of other rules from 1.19 on',
      '1.20',
      { ingress: [{ fromRequires: [{}] }] },
      ['error: Cilium 1.20 no longer takes "fromRequires"'],
    ],
  ])('%s, target %s', (_, target, parts, expected) => {
    expect(complaints(parts, { target })).toEqual(expected);
  });

  // differs: policy-empty-sections
  test.each([
    ['rule', '1.9', 'warning'],
    ['rule', '1.17', 'warning'],
    ['rule', '1.20', 'error'],
    ['kubernetes', '1.16', 'warning'],
    ['kubernetes', '1.17', 'error'],
    ['kubernetes', '1.20', 'error'],
  ] as const)('a %s without a direction for %s: %s', (form, target, severity) => {
    for (const parts of [
      {},
      { ingress: [] },
      { egress: [] },
      { ingressDeny: [], egressDeny: [] },
      { ingress: [], egress: [], ingressDeny: [], egressDeny: [] },
      { ingress: null, egress: [] },
      ...(atLeast(target, '1.16')
        ? [{ ingress: [], enableDefaultDeny: { ingress: true, egress: true } }]
        : []),
    ])
      expect(complaints(parts, { form, target })).toEqual([
        `${severity}: rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny`,
      ]);
  });

  test('an empty section beside others is said to have no effect', () => {
    expect(complaints({ ingress: [], egress: [{}], egressDeny: [] })).toEqual([
      'warning: an empty "ingress" has no effect',
      'warning: an empty "egressDeny" has no effect',
    ]);
  });
});

// differs: policy-label-twice
test('a label that a selector names twice has one value', () => {
  const from = (labels: object) => ({ ingress: [{ fromEndpoints: [{ matchLabels: labels }] }] });
  expect(complaints(from({ app: 'a', 'any:app': 'a', 'k8s:app': 'b' }))).toEqual([]);
  expect(complaints(from({ app: 'a', 'any:app': 'b' }))).toEqual([
    'error: "app" and "any:app" are the same label: agents take one of the two values, not always the same',
  ]);
});

test('a list of which an item cannot be decoded is not checked as a whole', () => {
  const list = Array.from({ length: 42 }, (_, i) => (i === 0 ? '80' : { port: '80' }));
  const parts = { ingress: [{ toPorts: [{ ports: list }] }] };
  expect(complaints(parts)).toEqual(['error: expected a port, found a string']);
});

test.each<[object, { ingress: boolean; egress: boolean }]>([
  [{ ingress: [{}] }, { ingress: true, egress: false }],
  [{ ingressDeny: [{}] }, { ingress: true, egress: false }],
  [{ egressDeny: [{}] }, { ingress: false, egress: true }],
  [
    { ingress: [], egress: [{}] },
    { ingress: false, egress: true },
  ],
  [
    { ingress: [{}], enableDefaultDeny: { ingress: false } },
    { ingress: false, egress: false },
  ],
  [
    { ingress: [{}], enableDefaultDeny: { egress: true } },
    { ingress: true, egress: true },
  ],
])('%j has default deny for %j', (parts, expected) => {
  const at = new Cursor({ strict: true, form: 'rule', target: '1.17' });
  expect(decodeRule({ endpointSelector: {}, ...parts }, at)?.enableDefaultDeny).toEqual(expected);
});

function genericL7(section: 'ingress' | 'egress'): object {
  return {
    [section]: [
      { toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { l7proto: 'p', l7: [{ a: 'b' }] } }] },
    ],
  };
}

function httpOfRange(): object {
  const range = { ports: [{ port: '80', endPort: 90, protocol: 'TCP' }], rules: { http: [{}] } };
  return { ingress: [{ toPorts: [range] }] };
}

function icmp(family: string, type: string): object {
  return { ingress: [{ icmps: [{ fields: [{ family, type }] }] }] };
}

function dnsEgress(): object {
  const dns = { ports: [{ port: '53', protocol: 'UDP' }], rules: { dns: [{ matchPattern: '*' }] } };
  return { egress: [{ toPorts: [dns] }] };
}

function servicesWithPorts(): object {
  const toServices = [{ k8sService: { serviceName: 'api', namespace: 'default' } }];
  return { egress: [{ toServices, toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }] };
}

test('an empty key of an L7 rule is refused, as the agent does', () => {
  const l7 = (rule: object) => ({
    ingress: [
      { toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { l7proto: 'x', l7: [rule] } }] },
    ],
  });
  expect(complaints(l7({ '': 'a', b: 'c' }))).toEqual(['error: Empty key not allowed']);
  expect(complaints(l7({ a: '' }))).toEqual([]);
});

test.each([
  ['rule', '', []],
  ['rule', 'CiliumEnvoyConfig', []],
  ['rule', 'Envoy', ['error: "Envoy" is not a kind of Envoy configuration']],
  ['kubernetes', '', ['error: "" is not a kind of Envoy configuration']],
] as const)('the kind of a listener, in the form %s: %j', (form, kind, expected) => {
  const listener = { name: 'a', envoyConfig: { kind, name: 'b' } };
  const toPorts = [{ ports: [{ port: '80', protocol: 'TCP' }], listener }];
  expect(complaints({ egress: [{ toPorts }] }, { form })).toEqual(expected);
});

test('a deny rule without a protocol denies nothing by a port up to 1.11, and in early agents of 1.12 to 1.14', () => {
  const parts = { ingressDeny: [{ toPorts: [{ ports: [{ port: '80' }] }] }] };
  expect(complaints(parts, { target: '1.11' })).toEqual([
    'warning: Cilium 1.11 denies nothing by a port without a protocol',
  ]);
  expect(complaints(parts, { target: '1.14' })).toEqual([
    'warning: agents before 1.12.16, 1.13.9 and 1.14.4 deny nothing by a port without a protocol',
  ]);
  expect(complaints(parts, { target: '1.15' })).toEqual([]);
  const stated = { ingressDeny: [{ toPorts: [{ ports: [{ port: '80', protocol: 'ANY' }] }] }] };
  expect(complaints(stated, { target: '1.14' })).toEqual([]);
});
