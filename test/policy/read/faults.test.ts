import { describe, expect, test } from '@jest/globals';
import type { Release } from '../../../src/model/release.ts';
import { type ParseOptions, type Policies, parsePolicies } from '../../../src/policy/read/policies.ts';

/** In the texts below `«` stands directly before the place that the finding must name. */
async function check(text: string, options: ParseOptions & { file?: string } = {}) {
  const at = text.indexOf('«');
  const before = text.slice(0, at).split('\n');
  const file = options.file ?? (text.includes('apiVersion:') ? 'p.yaml' : 'p.json');
  const policies = await parsePolicies([{ file, text: text.replace('«', '') }], options);
  return { policies, want: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 } };
}

function told({ findings }: Policies, severity: 'error' | 'warning') {
  return findings
    .filter((finding) => finding.severity === severity)
    .map(({ code, message, position: { line, column } }) => ({ code, message, line, column }));
}

function rule(body: string): string {
  return `[{"endpointSelector": {},\n ${body}}]`;
}

const ingress = (body: string) => rule(`"ingress": [{${body}}]`);
const egress = (body: string) => rule(`"egress": [{${body}}]`);
const port = (body: string, rules = '') =>
  ingress(`"toPorts": [{"ports": [{${body}}]${rules && `, ${rules}`}}]`);
const l7 = (rules: string) =>
  `"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}], "rules": {${rules}}}]`;

// differs: policy-twice
describe('an error names its place and says what is wrong', () => {
  test.each<[string, string, string, string]>([
    // title, text, code, message
    ['a field nobody knows', rule('«"ingres": []'), 'unknown-field', 'unknown field "ingres"'],
    [
      'a field of a direction at the rule',
      rule('"ingress": [{}], «"toPorts": []'),
      'unknown-field',
      'unknown field "toPorts"',
    ],
    [
      'a field that is written twice',
      rule('"ingress": [{}], «"ingress": []'),
      'doubled-field',
      'field "ingress" is written twice',
    ],
    [
      'no selector',
      '[«{"ingress": [{}]}]',
      'selector',
      'rule must have one of EndpointSelector or NodeSelector',
    ],
    [
      'two selectors',
      rule('«"nodeSelector": {}, "ingress": [{}]'),
      'selector',
      'rule cannot have both EndpointSelector and NodeSelector',
    ],
    ['an object for a list', rule('«"ingress": {}'), 'type', 'expected a list, found an object'],
    ['a number for a port', port('«"port": 80'), 'type', 'expected a string, found a number'],
    [
      'a port above 65535',
      port('«"port": "65536"'),
      'port',
      'Unable to parse port: strconv.ParseUint: parsing "65536": value out of range',
    ],
    [
      'a range in a port',
      port('«"port": "80-90"'),
      'port',
      'Unable to parse port: strconv.ParseUint: parsing "80-90": invalid syntax',
    ],
    ['an empty port', port('«"port": ""'), 'port', 'Port must be specified'],
    [
      'a port left out',
      ingress('"toPorts": [{"ports": [«{"protocol": "TCP"}]}]'),
      'port',
      'Port must be specified',
    ],
    ['an endPort above 65535', port('"port": "80", «"endPort": 70000'), 'range', '70000 is out of range'],
    [
      'an unknown protocol',
      port('"port": "80", «"protocol": "icmp"'),
      'protocol',
      'invalid protocol "ICMP", must be { tcp | udp | sctp | any }',
    ],
    [
      'more ports than 40',
      ingress(
        `"toPorts": [{«"ports": [${Array.from({ length: 41 }, (_, i) => `{"port": "${i + 1}"}`).join()}]}]`,
      ),
      'ports',
      'too many ports, the max is 40',
    ],
    [
      'an address that is none',
      ingress('"fromCIDR": [«"10.0.0"]'),
      'cidr',
      'unable to parse CIDR: ParseAddr("10.0.0"): IPv4 address too short',
    ],
    ['an empty address', ingress('"fromCIDR": [«""]'), 'cidr', 'IP must be specified'],
    [
      'a CIDR set without a length',
      ingress('"fromCIDRSet": [{«"cidr": "10.0.0.0"}]'),
      'cidr',
      `Unable to parse CIDRRule "10.0.0.0": netip.ParsePrefix("10.0.0.0"): no '/'`,
    ],
    [
      'an exception outside of the block',
      ingress('"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": [«"11.0.0.0/16"]}]'),
      'except',
      'allow CIDR prefix 10.0.0.0/8 does not contain exclude CIDR prefix 11.0.0.0/16',
    ],
    [
      'a CIDR set of nothing',
      ingress('"fromCIDRSet": [«{"except": []}]'),
      'cidr',
      'one of cidr, cidrGroupRef, or cidrGroupSelector is required',
    ],
    [
      'a CIDR set of two things',
      ingress('"fromCIDRSet": [«{"cidr": "10.0.0.0/8", "cidrGroupRef": "x"}]'),
      'cidr',
      'more than one of cidr, cidrGroupRef, or cidrGroupSelector may not be set',
    ],
    [
      'an unknown entity',
      ingress('"fromEntities": ["host", «"wolrd"]'),
      'value',
      'unsupported entity: wolrd',
    ],
    [
      'two kinds of L7 rules',
      ingress(l7('"http": [{}], «"kafka": [{}]')),
      'l7-mixed',
      'multiple L7 protocol rule types specified in single rule',
    ],
    [
      'L7 rules for UDP',
      ingress('"toPorts": [{"ports": [«{"port": "80", "protocol": "UDP"}], "rules": {"http": [{}]}}]'),
      'l7-protocol',
      'L7 rules can only apply to TCP (not UDP) except for DNS rules',
    ],
    [
      'L7 rules for every port',
      ingress('"toPorts": [{"ports": [{«"port": "0", "protocol": "TCP"}], "rules": {"http": [{}]}}]'),
      'l7-port',
      'L7 rules can not be used when a port is 0',
    ],
    [
      'DNS rules on ingress',
      ingress(l7('«"dns": [{"matchPattern": "*"}]')),
      'l7-direction',
      'DNS rules are not allowed on ingress',
    ],
    [
      'DNS rules without a port',
      egress('"toPorts": [{"rules": {«"dns": [{"matchPattern": "*"}]}}]'),
      'l7-port',
      'Port 53 must be specified for DNS rules',
    ],
    [
      'DNS rules for a range',
      egress(
        '"toPorts": [{"ports": [{"port": "53", «"endPort": 60, "protocol": "UDP"}], "rules": {"dns": [{"matchPattern": "*"}]}}]',
      ),
      'l7-port',
      'DNS rules do not support port ranges',
    ],
    [
      'l7 without l7proto',
      ingress(l7('«"l7": [{"a": "b"}]')),
      'l7-proto',
      "'l7' may only be specified when a 'l7proto' is also specified",
    ],
    [
      'a path that is no expression',
      ingress(l7('"http": [{«"path": "/a("}]')),
      'regex',
      'error parsing regexp: missing closing ): `/a(`',
    ],
    [
      'look-around, which RE2 has not',
      ingress(l7('"http": [{«"method": "(?!GET)"}]')),
      'regex',
      'error parsing regexp: invalid or unsupported Perl syntax: `(?!`',
    ],
    [
      'a header action',
      ingress(l7('"http": [{"headerMatches": [{"name": "a", «"mismatch": "DROP"}]}]')),
      'value',
      'Invalid header action: DROP',
    ],
    ['a Kafka topic', ingress(l7('"kafka": [{«"topic": "a b"}]')), 'kafka', 'invalid Kafka Topic name "a b"'],
    [
      'a Kafka API key',
      ingress(l7('"kafka": [{«"apiKey": "read"}]')),
      'kafka',
      'invalid Kafka APIKey :"read"',
    ],
    [
      'a role beside an API key',
      ingress(l7('"kafka": [{"role": "produce", «"apiKey": "fetch"}]')),
      'kafka',
      'Cannot set both Role:"produce" and APIKey :"fetch" together',
    ],
    [
      'a DNS name with a wildcard',
      egress('"toFQDNs": [{«"matchName": "*.example.com"}]'),
      'fqdn',
      'Invalid characters in MatchName: "*.example.com". Only 0-9, a-z, A-Z and . and - characters are allowed',
    ],
    [
      'a DNS pattern that is an expression',
      egress('"toFQDNs": [{«"matchPattern": "(a|b).com"}]'),
      'fqdn',
      'Invalid characters in MatchPattern: "(a|b).com". Only 0-9, a-z, A-Z and ., - and * characters are allowed',
    ],
    [
      'a DNS name beside a pattern',
      egress('"toFQDNs": [{"matchName": "a.com", «"matchPattern": "*"}]'),
      'fqdn',
      'only one of MatchName or MatchPattern is allowed in an FQDNSelector',
    ],
    [
      'a label key',
      ingress('"fromEndpoints": [{"matchLabels": {«"a b": "c"}}]'),
      'label-key',
      'invalid label selector: key "a b": the name may hold letters, digits, "-", "_" and ".", and begins and ends with a letter or digit',
    ],
    [
      'a label value',
      ingress('"fromEndpoints": [{"matchLabels": {«"a": "b c"}}]'),
      'label-value',
      'invalid label selector: value "b c" is not a label value',
    ],
    [
      'an operator',
      ingress('"fromEndpoints": [{"matchExpressions": [{"key": "a", «"operator": "Is"}]}]'),
      'value',
      'invalid label selector: "Is" is not a valid label selector operator',
    ],
    [
      'In without values',
      ingress('"fromEndpoints": [{"matchExpressions": [«{"key": "a", "operator": "In"}]}]'),
      'selector',
      'invalid label selector: values must be specified when operator is In',
    ],
    [
      'Exists with values',
      ingress(
        '"fromEndpoints": [{"matchExpressions": [{"key": "a", "operator": "Exists", «"values": ["b"]}]}]',
      ),
      'selector',
      'invalid label selector: values may not be specified when operator is Exists',
    ],
    [
      'two ways to name peers',
      ingress('"fromEndpoints": [{}], «"fromCIDR": ["10.0.0.0/8"]'),
      'combination',
      'Combining FromEndpoints and FromCIDR is not supported yet',
    ],
    [
      'ICMP beside ports',
      ingress('"toPorts": [{"ports": [{"port": "80"}]}], «"icmps": [{"fields": [{"type": 8}]}]'),
      'combination',
      'The ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts.',
    ],
    [
      'an ICMP type',
      ingress('"icmps": [{"fields": [{«"type": "Ping"}]}]'),
      'icmp',
      'IPv4 has no ICMP type called "Ping"',
    ],
    [
      'an ICMP number',
      ingress('"icmps": [{"fields": [{«"type": 256}]}]'),
      'icmp',
      'ICMP type 256 is out of range',
    ],
    [
      'an ICMP family',
      ingress('"icmps": [{"fields": [{«"family": "ipv4", "type": 8}]}]'),
      'value',
      'wrong family: ipv4',
    ],
    [
      'L7 rules in a deny rule',
      rule('"ingressDeny": [{"toPorts": [{"ports": [{"port": "80"}], «"rules": {}}]}]'),
      'unknown-field',
      'unknown field "rules"',
    ],
    [
      'L7 rules of a host policy',
      `[{"nodeSelector": {}, "ingress": [{"toPorts": [{"ports": [{"port": "80", "protocol": "TCP"}], «"rules": {"http": [{}]}}]}]}]`,
      'host-l7',
      'L7 policy is not supported on host ingress yet',
    ],
    [
      'a listener on ingress',
      ingress(
        '"toPorts": [{"ports": [{"port": "80"}], «"listener": {"name": "l", "envoyConfig": {"name": "e"}}}]',
      ),
      'listener',
      'Listener is not allowed on ingress (l)',
    ],
    [
      'server names beside L7 rules',
      egress(
        '"toPorts": [{"ports": [{"port": "443", "protocol": "TCP"}], «"serverNames": ["a"], "rules": {"http": [{}]}}]',
      ),
      'server-names',
      'ServerNames are not allowed with L7 rules without TLS termination',
    ],
    [
      'a mode of authentication',
      ingress('"authentication": {«"mode": "maybe"}'),
      'value',
      '"maybe" is not an authentication mode',
    ],
    [
      'a rule label without a key',
      rule('"ingress": [{}], "labels": [«{"value": "a"}]'),
      'missing',
      'a label must have the field "key"',
    ],
    [
      'an object that is no rule',
      '[{«"kind": "CiliumNetworkPolicies", "apiVersion": "cilium.io/v2"}]',
      'kind',
      'kind "CiliumNetworkPolicies" is not a network policy',
    ],
    [
      'an empty port of a NetworkPolicy',
      `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: t}
spec:
  podSelector: {}
  ingress:
  - ports:
    - «port: ""
`,
      'port',
      'Port must be specified',
    ],
  ])('%s', async (_, text, code, message) => {
    const { policies, want } = await check(text);
    expect(told(policies, 'error')).toEqual([{ code, message, ...want }]);
  });
});

// differs: policy-faults
test('all errors of all documents are reported, in the order of the text', async () => {
  const { policies } = await check(
    `[{"ingress": [{"fromCIDR": ["x"]}]},\n{"endpointSelector": {}, "egress": [{"toPorts": [{"ports": [{"port": "a b"}]}], "toFoo": 1}]}]`,
  );
  expect(told(policies, 'error').map(({ line, column, code }) => [line, column, code])).toEqual([
    [1, 2, 'selector'],
    [1, 29, 'cidr'],
    [2, 62, 'port'],
    [2, 81, 'unknown-field'],
  ]);
});

test.each([
  ['{"a" 1}', 1, 6, '":" is expected after the field name, not "1"'],
  ['[{"a": 1},]', 1, 11, 'nothing stands between "," and "]"'],
  ['[{"a": tru}]', 1, 8, '"tru" is not a JSON value'],
  ['[{"a": "b\n"}]', 1, 10, 'a control character or line break stands inside a text'],
  ['[] []', 1, 4, 'unexpected "[" after the end of the document'],
  ['[{\n  "a": 1\n', 2, 9, '"," or "}" is expected, not end of the text'],
])('a fault of JSON is pointed at: %j', async (text, line, column, message) => {
  const { findings } = await parsePolicies([{ file: 'p.json', text }]);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toMatchObject({
    code: 'syntax',
    message: `malformed policy, not JSON? ${message}`,
    position: { line, column },
  });
});

test.each([
  ['a flow that is not closed', '- endpointSelector: {a: b\n  ingress: []\n', 2, 3],
  ['a tab', 'endpointSelector: {}\nspec:\n\tingress: []\n', 3, 1],
  ['a text that is not closed', '- endpointSelector: {}\n  ingress: "a\n', 3, 1],
])('what stands behind a fault of YAML is not guessed: %s', async (_title, text, line, column) => {
  const { findings, rules } = await parsePolicies([{ file: 'p.yaml', text }]);
  expect(rules).toEqual([]);
  expect(findings).toMatchObject([{ code: 'syntax', position: { line, column } }]);
});

const cnp = (spec: string, head = '') => `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: p
${head}spec:
  endpointSelector: {}
${spec}`;

describe('Kubernetes objects are held to more', () => {
  test.each<[string, string, string, string]>([
    [
      'a nodeSelector',
      cnp('  «nodeSelector: {}\n  ingress: [{}]').replace('  endpointSelector: {}\n', ''),
      'node-selector',
      'Invalid CiliumNetworkPolicy spec: rule cannot have NodeSelector',
    ],
    [
      'no direction',
      cnp('').replace('spec:', '«spec:'),
      'no-effect',
      'rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny',
    ],
    [
      'a protocol in lower case',
      cnp('  ingress:\n  - toPorts:\n    - ports:\n      - port: "80"\n        «protocol: tcp\n'),
      'schema',
      '"tcp" is not one of TCP, UDP, SCTP, VRRP, IGMP, GRE, IPIP, IPV6, ESP, AH, ANY',
    ],
    [
      'an address without a length',
      cnp('  ingress:\n  - fromCIDR:\n    - «10.0.0.1\n'),
      'schema',
      '"10.0.0.1" is not in the form address/length, which Kubernetes requires',
    ],
    [
      'a DNS selector of nothing',
      cnp('  egress:\n  - toFQDNs:\n    - «{}\n'),
      'fqdn',
      'neither matchName nor matchPattern is given, so no name matches',
    ],
    [
      'fromRequires, which 1.20 dropped',
      cnp('  ingress:\n  - «fromRequires:\n    - matchLabels: {a: b}\n'),
      'release',
      'Cilium 1.20 no longer takes "fromRequires"',
    ],
    [
      'a field beside spec',
      `${cnp('  ingress: [{}]\n')}«ingress: []\n`,
      'unknown-field',
      'unknown field "ingress"',
    ],
    [
      'no name',
      cnp('  ingress: [{}]\n').replace('metadata:\n  name: p', '«metadata: {}'),
      'name',
      'CiliumNetworkPolicy must have name',
    ],
    [
      'another API version',
      cnp('  ingress: [{}]\n').replace('apiVersion: cilium.io/v2', '«apiVersion: cilium.io/v3'),
      'api-version',
      'the apiVersion of a CiliumNetworkPolicy is cilium.io/v2',
    ],
    [
      'a field of a NetworkPolicy',
      cnp('  ingress: [{}]\n  «policyTypes: [Ingress]\n'),
      'unknown-field',
      'unknown field "policyTypes"',
    ],
  ])('%s', async (_, text, code, message) => {
    const { policies, want } = await check(text);
    expect(told(policies, 'error')).toEqual([{ code, message, ...want }]);
  });
});

describe('a target release knows only its own fields', () => {
  test.each<[string, Release, boolean]>([
    [ingress('"icmps": [{"fields": [{"type": 8}]}]'), '1.9', false],
    [ingress('"icmps": [{"fields": [{"type": 8}]}]'), '1.14', true],
    [rule('"ingress": [{}], "enableDefaultDeny": {"ingress": false}'), '1.14', false],
    [rule('"ingress": [{}], "enableDefaultDeny": {"ingress": false}'), '1.17', true],
    [port('"port": "80", "endPort": 90'), '1.14', false],
    [port('"port": "80", "endPort": 90'), '1.17', true],
    [rule('"ingressDeny": [{}]'), '1.9', true],
    [ingress('"fromEntities": ["kube-apiserver"]'), '1.9', false],
    [ingress('"fromEntities": ["kube-apiserver"]'), '1.14', true],
    [port('"port": "80", "protocol": "SCTP"'), '1.9', false],
    [rule('"ingress": [{}], "log": {"value": "x"}'), '1.17', false],
    [rule('"ingress": [{}], "log": {"value": "x"}'), '1.20', true],
    [ingress('"fromRequires": [{"matchLabels": {"a": "b"}}]'), '1.17', true],
    [ingress('"fromRequires": [{"matchLabels": {"a": "b"}}]'), '1.20', false],
    [ingress(l7('"kafka": [{"topic": "a"}]')), '1.9', true],
    [ingress(l7('"kafka": [{"topic": "a"}]')), '1.19', true],
    [ingress(l7('"kafka": [{"topic": "a"}]')), '1.20', false],
    [ingress(l7('"l7proto": "p"')), '1.19', true],
    [ingress(l7('"l7proto": "p"')), '1.20', false],
    [ingress('"fromEntities": ["ingress"]'), '1.11', false],
    [ingress('"fromEntities": ["ingress"]'), '1.12', true],
    [ingress('"fromEntities": ["unmanaged"]'), '1.9', true],
    [ingress('"fromEntities": ["world-ipv4"]'), '1.14', false],
    [ingress('"fromEntities": ["world-ipv4"]'), '1.15', true],
    [ingress('"fromEntities": ["cluster-mesh"]'), '1.19', false],
    [ingress('"fromEntities": ["cluster-mesh"]'), '1.20', true],
    [port('"port": "80", "protocol": "SCTP"'), '1.12', false],
    [port('"port": "80", "protocol": "SCTP"'), '1.13', true],
    [port('"port": "0", "protocol": "VRRP"'), '1.18', false],
    [port('"port": "0", "protocol": "VRRP"'), '1.19', true],
    [port('"port": "0", "protocol": "GRE"'), '1.19', false],
    [port('"port": "0", "protocol": "GRE"'), '1.20', true],
    [port('"protocol": "ESP"'), '1.20', true],
    [port('"port": "80", "endPort": 90'), '1.15', false],
    [port('"port": "80", "endPort": 90'), '1.16', true],
    [ingress('"fromCIDRSet": [{"cidrGroupRef": "g"}]'), '1.13', false],
    [ingress('"fromCIDRSet": [{"cidrGroupRef": "g"}]'), '1.14', true],
  ])('%s for %s', async (text, target, valid) => {
    const policies = await parsePolicies([{ file: 'p.json', text }], { target });
    expect(told(policies, 'error').map(({ code }) => code)).toEqual(valid ? [] : ['release']);
  });
});

test('without strictness unknown fields are dropped and names match in any case', async () => {
  const text = '[{"EndpointSelector": {}, "INGRESS": [{"fromFoo": 1}], "encrypt": true}]';
  const { rules, findings } = await parsePolicies([{ file: 'p.json', text }], { strict: false });
  expect(findings).toEqual([]);
  expect(rules[0]?.rule).toEqual({
    endpointSelector: {},
    ingress: [{}],
    enableDefaultDeny: { ingress: true, egress: false },
  });
});

test('what may be meant but does something else is a warning', async () => {
  const { policies } = await check(
    rule(
      '"ingress": [{"fromEndpoints": []}, {"fromCIDR": ["10.0.0.1/8"]}, {"toPorts": [{"ports": [{"port": "90", "endPort": 80}]}]}]',
    ),
  );
  expect(told(policies, 'error')).toEqual([]);
  expect(told(policies, 'warning').map(({ code }) => code)).toEqual(['empty-peers', 'host-bits', 'end-port']);
});

test('an exception wider than its block is up to 1.19 a warning, for 1.20 an error', async () => {
  const text = ingress('"fromCIDRSet": [{"cidr": "10.0.0.0/16", "except": ["10.0.0.0/8"]}]');
  const told119 = told((await check(text, { target: '1.19' })).policies, 'warning');
  const told120 = told((await check(text, { target: '1.20' })).policies, 'error');
  const message = 'allow CIDR prefix 10.0.0.0/16 does not contain exclude CIDR prefix 10.0.0.0/8';
  expect([...told119, ...told120].map((finding) => finding.message)).toEqual([message, message]);
});
