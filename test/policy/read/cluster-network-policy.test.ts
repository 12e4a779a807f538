import { describe, expect, test } from '@jest/globals';
import { type ParseOptions, parsePolicies } from '../../../src/policy/read/policies.ts';

const HEAD =
  'apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: a}\n';
const ON: ParseOptions = { clusterNetworkPolicy: true };

async function read(spec: string, options: ParseOptions = ON, head = HEAD) {
  const { findings, rules } = await parsePolicies(
    [{ file: 'p.yaml', text: `${head}spec: ${spec}\n` }],
    options,
  );
  return {
    rules,
    told: findings.map(({ severity, message, path }) => [severity, path.join('.'), message] as const),
    hints: findings.map(({ hint = '' }) => hint),
  };
}

const spec = (rules: string, subject = '{namespaces: {}}', tier = 'Admin', priority: number | string = 10) =>
  `{tier: ${tier}, priority: ${priority}, subject: ${subject}, ${rules}}`;
const PODS =
  '{pods: {namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: web}}}}';

describe('which agents read a ClusterNetworkPolicy', () => {
  const one = spec('ingress: [{action: Deny, from: [{namespaces: {}}]}]');
  test.each(['1.9', '1.14', '1.17', '1.18', '1.19'] as const)(
    'not those of %s, which is one error',
    async (target) => {
      const { told, rules } = await read(one, { ...ON, target });
      expect(rules).toEqual([]);
      expect(told).toEqual([
        [
          'error',
          'kind',
          `Cilium ${target} does not read a ClusterNetworkPolicy: agents read it from 1.20 on, with the option enable-k8s-cluster-network-policy`,
        ],
      ]);
    },
  );

  test.each([undefined, '1.20'] as const)('those of 1.20 (target %s) with their option', async (target) => {
    expect((await read(one, { ...ON, target })).told).toEqual([]);
    const unsaid = await read(one, { target });
    expect(unsaid.told).toEqual([['error', 'kind', expect.stringContaining('which is off by default')]]);
    expect(unsaid.hints[0]).toContain('--cluster-network-policy on');
    const off = await read(one, { target, clusterNetworkPolicy: false });
    expect(off.told).toEqual([['error', 'kind', expect.stringContaining('is off')]]);
  });

  test('for the evaluator what is not known is no finding, and what is off a warning', async () => {
    expect((await read(one, { readAll: true })).told).toEqual([]);
    const off = await read(one, { readAll: true, clusterNetworkPolicy: false });
    expect(off.told).toEqual([['warning', 'kind', expect.stringContaining('is off')]]);
  });

  test('an object of another API or version is not taken for it', async () => {
    const antrea = await read(
      one,
      ON,
      HEAD.replace('policy.networking.k8s.io/v1alpha2', 'crd.antrea.io/v1beta1'),
    );
    expect(antrea.told).toEqual([['error', 'apiVersion', expect.stringContaining('Antrea')]]);
    const old = await read(one, ON, HEAD.replace('v1alpha2', 'v1alpha1'));
    expect(old.told).toEqual([
      [
        'error',
        'apiVersion',
        'the apiVersion of a ClusterNetworkPolicy is policy.networking.k8s.io/v1alpha2',
      ],
    ]);
  });

  test('its errors are told beside that of the option', async () => {
    const { told } = await read(spec('ingress: [{action: Allow, from: [{namespaces: {}}]}]'), {});
    expect(told.map(([, path]) => path)).toEqual(['kind', 'spec.ingress.0.action']);
  });
});

describe('what the API server and agents refuse', () => {
  const rule = (rest: string, action = 'Deny') => spec(`ingress: [{action: ${action}, ${rest}}]`);
  const out = (rest: string, action = 'Deny') => spec(`egress: [{action: ${action}, ${rest}}]`);
  const from = 'from: [{namespaces: {}}]';
  const to = 'to: [{namespaces: {}}]';
  const port = (text: string) => rule(`${from}, protocols: [{tcp: {destinationPort: ${text}}}]`);
  const many = (item: string, count: number) => `[${Array.from({ length: count }, () => item).join(', ')}]`;
  const names = (count: number) =>
    `[${Array.from({ length: count }, (_, i) => `10.0.${i}.0/24`).join(', ')}]`;
  test.each<[string, string, string]>([
    ['a tier of another name', spec('', '{namespaces: {}}', 'admin'), 'spec.tier'],
    ['no tier', '{priority: 1, subject: {namespaces: {}}}', 'spec'],
    ['no priority', '{tier: Admin, subject: {namespaces: {}}}', 'spec'],
    ['a negative priority', spec('', '{namespaces: {}}', 'Admin', -1), 'spec.priority'],
    ['a priority beyond 1000', spec('', '{namespaces: {}}', 'Admin', 1001), 'spec.priority'],
    ['a fraction', spec('', '{namespaces: {}}', 'Admin', 1.5), 'spec.priority'],
    ['a priority as text', spec('', '{namespaces: {}}', 'Admin', '"5"'), 'spec.priority'],
    ['no subject', '{tier: Admin, priority: 1}', 'spec'],
    ['an empty subject', spec('', '{}'), 'spec.subject'],
    ['a subject of both kinds', spec('', `{namespaces: {}, ${PODS.slice(1)}`), 'spec.subject.pods'],
    ['a subject without podSelector', spec('', '{pods: {namespaceSelector: {}}}'), 'spec.subject.pods'],
    ['an action of NetworkPolicy', rule(from, 'Allow'), 'spec.ingress.0.action'],
    ['no action', spec(`ingress: [{${from}}]`), 'spec.ingress.0'],
    ['no peers', rule('name: a'), 'spec.ingress.0'],
    ['an empty list of peers', rule('from: []'), 'spec.ingress.0.from'],
    ['an empty peer', rule('from: [{}]'), 'spec.ingress.0.from.0'],
    ['a peer of two kinds', rule(`from: [{namespaces: {}, ${PODS.slice(1)}]`), 'spec.ingress.0.from.0.pods'],
    ['too many rules', spec(`ingress: ${many(`{action: Deny, ${from}}`, 26)}`), 'spec.ingress'],
    ['too many peers', rule(`from: ${many('{namespaces: {}}', 26)}`), 'spec.ingress.0.from'],
    [
      'too many protocols',
      rule(`${from}, protocols: ${many('{tcp: {destinationPort: {number: 1}}}', 26)}`),
      'spec.ingress.0.protocols',
    ],
    ['too many networks', out(`to: [{networks: ${names(26)}}]`), 'spec.egress.0.to.0.networks'],
    ['a long name', rule(`name: ${'x'.repeat(101)}, ${from}`), 'spec.ingress.0.name'],
    ['networks as a source', rule('from: [{networks: [10.0.0.0/8]}]'), 'spec.ingress.0.from.0.networks'],
    ['nodes as a source', rule('from: [{nodes: {}}]'), 'spec.ingress.0.from.0.nodes'],
    ['sources of an egress rule', spec(`egress: [{action: Deny, ${to}, ${from}}]`), 'spec.egress.0.from'],
    ['ports of the API before', rule(`${from}, ports: [{portNumber: {port: 80}}]`), 'spec.ingress.0.ports'],
    ['an empty list of protocols', rule(`${from}, protocols: []`), 'spec.ingress.0.protocols'],
    ['an empty protocol', rule(`${from}, protocols: [{tcp: {}}]`), 'spec.ingress.0.protocols.0.tcp'],
    [
      'two protocols in one item',
      rule(
        `${from}, protocols: [{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}]`,
      ),
      'spec.ingress.0.protocols.0.udp',
    ],
    [
      'a protocol of no such name',
      rule(`${from}, protocols: [{icmp: {}}]`),
      'spec.ingress.0.protocols.0.icmp',
    ],
    ['port 0', port('{number: 0}'), 'spec.ingress.0.protocols.0.tcp.destinationPort.number'],
    ['port 65536', port('{number: 65536}'), 'spec.ingress.0.protocols.0.tcp.destinationPort.number'],
    ['a port as text', port('{number: "80"}'), 'spec.ingress.0.protocols.0.tcp.destinationPort.number'],
    [
      'a number and a range',
      port('{number: 1, range: {start: 1, end: 2}}'),
      'spec.ingress.0.protocols.0.tcp.destinationPort.range',
    ],
    [
      'a range of one port',
      port('{range: {start: 80, end: 80}}'),
      'spec.ingress.0.protocols.0.tcp.destinationPort.range.end',
    ],
    [
      'a range without end',
      port('{range: {start: 80}}'),
      'spec.ingress.0.protocols.0.tcp.destinationPort.range',
    ],
    ['an address', out('to: [{networks: [10.0.0.1]}]'), 'spec.egress.0.to.0.networks.0'],
    ['no prefix', out('to: [{networks: [10.0.0.0/33]}]'), 'spec.egress.0.to.0.networks.0'],
    ['a network twice', out('to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]'), 'spec.egress.0.to.0.networks'],
    ['no networks', out('to: [{networks: []}]'), 'spec.egress.0.to.0.networks'],
    [
      'a name of one label',
      out('to: [{domainNames: [localhost]}]', 'Accept'),
      'spec.egress.0.to.0.domainNames.0',
    ],
    [
      'a * inside a name',
      out('to: [{domainNames: ["a.*.io"]}]', 'Accept'),
      'spec.egress.0.to.0.domainNames.0',
    ],
    ['names that are denied', out('to: [{domainNames: [a.io]}]'), 'spec.egress.0.to.0.domainNames'],
    ['names that are passed', out('to: [{domainNames: [a.io]}]', 'Pass'), 'spec.egress.0.to.0.domainNames'],
    [
      'a port name of networks',
      out('to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: web}]'),
      'spec.egress.0.protocols.0.destinationNamedPort',
    ],
    [
      'a selector with a source',
      rule('from: [{namespaces: {matchLabels: {"k8s:a": b}}}]'),
      'spec.ingress.0.from.0.namespaces.matchLabels.k8s:a',
    ],
    [
      'In without values',
      rule('from: [{namespaces: {matchExpressions: [{key: a, operator: In}]}}]'),
      'spec.ingress.0.from.0.namespaces.matchExpressions.0',
    ],
    ['an unknown field of the spec', spec('policyTypes: [Ingress]'), 'spec.policyTypes'],
    ['no spec', 'null', 'spec'],
  ])('%s', async (_, text, place) => {
    const errors = (await read(text)).told.filter(([severity]) => severity === 'error');
    expect(errors.map(([, path]) => path)).toContain(place === 'spec' && text === 'null' ? '' : place);
    expect(errors).toHaveLength(1);
  });

  test.each<[string, string]>([
    ['25 rules', spec(`ingress: ${many(`{action: Pass, ${from}}`, 25)}`)],
    ['the highest priority', spec(`egress: [{action: Accept, ${to}}]`, PODS, 'Baseline', 1000)],
    ['priority 0', spec(`egress: [{action: Accept, ${to}}]`, PODS, 'Baseline', 0)],
    ['a name of 100 characters', rule(`name: ${'x'.repeat(100)}, ${from}`)],
    ['all ports in a range', port('{range: {start: 1, end: 65535}}')],
    [
      'names',
      out(
        'to: [{domainNames: [a.io, "*.b.io", c.d.io.]}], protocols: [{tcp: {destinationPort: {number: 443}}}]',
        'Accept',
      ),
    ],
    ['networks of both families', out('to: [{networks: [0.0.0.0/0, "::/0"]}]', 'Pass')],
    ['pods without a namespaceSelector', rule('from: [{pods: {podSelector: {}}}]')],
  ])('but not %s', async (_, text) => {
    expect((await read(text)).told).toEqual([]);
  });

  test('nodes need an option, and no rules at all change nothing: warnings', async () => {
    const nodes = await read(out('to: [{nodes: {}}]'));
    expect(nodes.told).toEqual([['warning', 'spec', expect.stringContaining('enable-node-selector-labels')]]);
    expect(nodes.rules[0]?.needsNodeLabels).toBe(true);
    expect((await read(spec('ingress: []'))).told).toEqual([
      ['warning', 'spec', expect.stringContaining('without rules')],
    ]);
  });
});

test('the rules that agents make of it', async () => {
  const protocols =
    'protocols: [{tcp: {destinationPort: {number: 80}}}, {udp: {destinationPort: {range: {start: 5, end: 9}}}}, {destinationNamedPort: Web}]';
  const { rules } = await read(
    spec(
      `ingress: [{action: Deny, from: [${PODS}, {namespaces: {matchLabels: {team: blue}}}], ${protocols}}, {action: Pass, from: [{namespaces: {}}]}], egress: [{action: Accept, to: [{networks: [10.0.0.0/8]}, {domainNames: ["*.a.io", b.io]}]}]`,
      PODS,
      'Baseline',
      7,
    ),
  );
  const namespace = 'k8s:io.cilium.k8s.namespace.labels.team';
  const pods = { matchLabels: { 'k8s:app': 'web', [namespace]: 'red' } };
  expect(rules.map(({ origin, rule: { labels: _, ...rule } }) => ({ part: origin.part, ...rule }))).toEqual([
    {
      part: ['ingress', 0],
      endpointSelector: pods,
      ingressDeny: [
        {
          fromEndpoints: [pods],
          fromNamespaces: [{ matchLabels: { [namespace]: 'blue' } }],
          toPorts: [
            { ports: [{ port: '80', protocol: 'TCP' }] },
            { ports: [{ port: '5', endPort: 9, protocol: 'UDP' }] },
            { ports: [{ port: 'web', protocol: 'ANY' }] },
          ],
        },
      ],
      enableDefaultDeny: { ingress: false, egress: false },
      order: { tier: 'Baseline', priority: 7 },
    },
    {
      part: ['ingress', 1],
      endpointSelector: pods,
      ingress: [
        {
          fromNamespaces: [
            { matchExpressions: [{ key: 'k8s:io.kubernetes.pod.namespace', operator: 'Exists' }] },
          ],
        },
      ],
      enableDefaultDeny: { ingress: false, egress: false },
      order: { tier: 'Baseline', priority: 7.01, pass: true },
    },
    {
      part: ['egress', 0],
      endpointSelector: pods,
      egress: [
        { toCIDR: ['10.0.0.0/8'], toFQDNs: [{ matchPattern: '**.a.io' }, { matchName: 'b.io' }] },
        {
          toNamespaces: [{ matchLabels: { 'any:k8s-app': 'kube-dns' } }],
          toPorts: [
            {
              ports: [
                { port: 'dns', protocol: 'ANY' },
                { port: 'dns-tcp', protocol: 'ANY' },
              ],
              rules: { dns: [{ matchPattern: '**.a.io' }, { matchName: 'b.io' }] },
            },
          ],
        },
      ],
      enableDefaultDeny: { ingress: false, egress: false },
      order: { tier: 'Baseline', priority: 7 },
    },
  ]);
});
