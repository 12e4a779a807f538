import { describe, expect, test } from '@jest/globals';
import { parsePolicies } from '../../../src/policy/read/policies.ts';

async function rulesOf(text: string, namespace?: string) {
  const { rules, findings } = await parsePolicies([{ file: 'p.yaml', text }], { namespace });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rules.map(({ rule }) => rule);
}

const object = (kind: string, spec: string, namespace = '') => `apiVersion: ${
  kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2'
}
kind: ${kind}
metadata:
  name: p
${namespace && `  namespace: ${namespace}\n`}spec:
${spec}`;

const NS = 'k8s:io.kubernetes.pod.namespace';

describe('a CiliumNetworkPolicy stays in its namespace', () => {
  test('its subject and its peers get the namespace, unless they name one', async () => {
    const [rule] = await rulesOf(
      object(
        'CiliumNetworkPolicy',
        `  endpointSelector: {matchLabels: {app: a}}
  ingress:
  - fromEndpoints:
    - {}
    - matchLabels: {"k8s:io.kubernetes.pod.namespace": other}
    - matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": x}
    - matchLabels: {"reserved:host": ""}
  egress:
  - toServices:
    - k8sService: {serviceName: s}
`,
        'prod',
      ),
    );
    expect(rule?.endpointSelector).toEqual({ matchLabels: { 'any:app': 'a', [NS]: 'prod' } });
    expect(rule?.ingress?.[0]?.fromEndpoints).toEqual([
      { matchLabels: { [NS]: 'prod' } },
      { matchLabels: { [NS]: 'other' } },
      { matchLabels: { 'k8s:io.cilium.k8s.namespace.labels.team': 'x' } },
      { matchLabels: { 'reserved:host': '' } },
    ]);
    expect(rule?.egress?.[0]?.toServices).toEqual([{ k8sService: { serviceName: 's', namespace: 'prod' } }]);
  });

  test('its rules carry its name in their labels', async () => {
    const [rule] = await rulesOf(
      object('CiliumNetworkPolicy', '  endpointSelector: {}\n  ingress: [{}]\n'),
      'shop',
    );
    expect(rule?.labels).toEqual([
      { key: 'io.cilium.k8s.policy.derived-from', value: 'CiliumNetworkPolicy', source: 'k8s' },
      { key: 'io.cilium.k8s.policy.name', value: 'p', source: 'k8s' },
      { key: 'io.cilium.k8s.policy.namespace', value: 'shop', source: 'k8s' },
    ]);
  });

  test('spec and specs are all read', async () => {
    const rules = await rulesOf(
      `${object('CiliumNetworkPolicy', '  endpointSelector: {}\n  ingress: [{}]\n')}specs:
- endpointSelector: {}
  egress: [{}]
- endpointSelector: {}
  egressDeny: [{}]
`,
    );
    expect(rules.map((rule) => Object.keys(rule)[1])).toEqual(['ingress', 'egress', 'egressDeny']);
  });
});

test('a clusterwide policy means pods of any namespace, and may select nodes', async () => {
  const [rule] = await rulesOf(
    object(
      'CiliumClusterwideNetworkPolicy',
      '  nodeSelector: {matchLabels: {a: b}}\n  ingress:\n  - fromEndpoints: [{matchLabels: {c: d}}]\n',
    ),
  );
  expect(rule?.nodeSelector).toEqual({ matchLabels: { 'any:a': 'b' } });
  expect(rule?.ingress?.[0]?.fromEndpoints).toEqual([
    { matchLabels: { 'any:c': 'd' }, matchExpressions: [{ key: NS, operator: 'Exists' }] },
  ]);
});

test('a policy for starting endpoints, which have no namespace yet, gets none', async () => {
  const spec = `  endpointSelector: {matchLabels: {"reserved:init": ""}}
  ingress:
  - fromEndpoints: [{matchLabels: {c: d}}]
`;
  const init = { matchLabels: { 'reserved:init': '' } };
  const [rule] = await rulesOf(object('CiliumNetworkPolicy', spec, 'prod'));
  expect(rule?.endpointSelector).toEqual(init);
  expect(rule?.ingress?.[0]?.fromEndpoints).toEqual([{ matchLabels: { 'any:c': 'd', [NS]: 'prod' } }]);
  const [clusterwide] = await rulesOf(object('CiliumClusterwideNetworkPolicy', spec));
  expect(clusterwide?.endpointSelector).toEqual(init);
  expect(clusterwide?.ingress?.[0]?.fromEndpoints).toEqual([{ matchLabels: { 'any:c': 'd' } }]);
});

test('an error about the whole rule does not hide what the schema finds in its parts', async () => {
  const text = object('CiliumNetworkPolicy', '  ingress:\n  - fromCIDR: [10.0.0.1]\n');
  const { findings } = await parsePolicies([{ file: 'p.yaml', text }]);
  expect(findings.map(({ code, path }) => [code, ...path])).toEqual([
    ['selector', 'spec'],
    ['schema', 'spec', 'ingress', 0, 'fromCIDR', 0],
  ]);
});

describe('a NetworkPolicy becomes the agent’s rule', () => {
  test.each([
    [80, 80, []],
    [80, 65_535, []],
    [80, 79, ['"endPort" must be between "port" and 65535']],
    [80, 65_536, ['"endPort" must be between "port" and 65535']],
    ['http', 80, ['"endPort" needs a "port" that is a number']],
  ])('ports %s to %s', async (port, endPort, messages) => {
    const ports = `  podSelector: {}\n  ingress:\n  - ports: [{port: ${port}, endPort: ${endPort}}]\n`;
    const { findings } = await parsePolicies([{ file: 'p.yaml', text: object('NetworkPolicy', ports) }]);
    expect(findings.map(({ message }) => message)).toEqual(messages);
  });

  test('peers, blocks and ports', async () => {
    const [rule] = await rulesOf(
      object(
        'NetworkPolicy',
        `  podSelector: {matchLabels: {app: a}}
  ingress:
  - from:
    - podSelector: {matchLabels: {b: c}}
    - namespaceSelector: {matchLabels: {team: x}}
    - namespaceSelector: {}
    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
    ports:
    - port: 80
    - {port: dns, protocol: UDP}
`,
        'prod',
      ),
    );
    const toPorts = [
      { ports: [{ port: '80', protocol: 'TCP' }] },
      { ports: [{ port: 'dns', protocol: 'UDP' }] },
    ];
    expect(rule).toMatchObject({
      endpointSelector: { matchLabels: { 'k8s:app': 'a', [NS]: 'prod' } },
      ingress: [
        { fromEndpoints: [{ matchLabels: { 'k8s:b': 'c', [NS]: 'prod' } }], toPorts },
        { fromEndpoints: [{ matchLabels: { 'k8s:io.cilium.k8s.namespace.labels.team': 'x' } }], toPorts },
        { fromEndpoints: [{ matchExpressions: [{ key: NS, operator: 'Exists' }] }], toPorts },
        { fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }], toPorts },
      ],
      enableDefaultDeny: { ingress: true, egress: false },
    });
  });

  test.each([
    ['no types and no rules close ingress', '', { ingress: [{}] }, { ingress: true, egress: false }],
    [
      'the type Egress alone closes egress',
      '  policyTypes: [Egress]\n',
      { egress: [{}] },
      { ingress: false, egress: true },
    ],
    [
      'a rule without peers allows all',
      '  egress: [{}]\n  policyTypes: [Egress]\n',
      { egress: [{ toEndpoints: [{}] }] },
      { ingress: false, egress: true },
    ],
  ])('%s', async (_, spec, directions, enableDefaultDeny) => {
    const [rule] = await rulesOf(object('NetworkPolicy', `  podSelector: {}\n${spec}`));
    expect(rule).toMatchObject({ ...directions, enableDefaultDeny });
  });
});

test('lists of objects and several documents are read; other kinds are passed over with a warning', async () => {
  const one = object('CiliumNetworkPolicy', '  endpointSelector: {}\n  ingress: [{}]\n');
  const text = `---\n${one}---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n${JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'q' },
        spec: { endpointSelector: {}, egress: [{}] },
      },
    ],
  })}\n`;
  const { rules, findings, objects } = await parsePolicies([{ file: 'p.yaml', text }]);
  expect(rules.map(({ origin }) => origin.name)).toEqual(['p', 'q']);
  expect(objects).toHaveLength(2);
  expect(findings.map(({ severity, message }) => [severity, message])).toEqual([
    ['warning', 'kind "Service" is not a network policy'],
  ]);
});
