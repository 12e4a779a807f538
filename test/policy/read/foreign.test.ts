import { describe, expect, test } from '@jest/globals';
import { type ParseOptions, parsePolicies } from '../../../src/policy/read/policies.ts';

async function told(text: string, options: ParseOptions = {}, file = 'p.yaml') {
  const { findings, rules } = await parsePolicies([{ file, text }], options);
  return {
    rules,
    findings: findings.map(({ severity, message, position }) => [severity, position.line, message] as const),
    hints: findings.map(({ hint }) => hint),
  };
}

const object = (kind: string, apiVersion: string, spec = '{priority: 1, subject: {namespaces: {}}}') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: a\nspec: ${spec}\n`;

describe('policies of other APIs', () => {
  test.each([
    ['AdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1'],
    ['BaselineAdminNetworkPolicy', 'policy.networking.k8s.io/v1alpha1'],
    ['ClusterNetworkPolicy', 'crd.antrea.io/v1beta1'],
    ['GlobalNetworkPolicy', 'projectcalico.org/v3'],
    ['GlobalNetworkPolicy', 'crd.projectcalico.org/v1'],
  ])('%s (%s) is refused by name, alone and in a list', async (kind, apiVersion) => {
    const items = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion, kind, metadata: { name: 'a' }, spec: {} }],
    });
    for (const target of ['1.9', '1.17', '1.20'] as const)
      for (const text of [object(kind, apiVersion), items]) {
        const { findings, rules, hints } = await told(text, { target });
        expect(rules).toEqual([]);
        expect(findings).toHaveLength(1);
        expect(findings[0]?.[0]).toBe('error');
        expect(findings[0]?.[2]).toContain(kind);
        expect(hints[0]).toContain('CiliumClusterwideNetworkPolicy');
      }
  });

  test.each([
    ['NetworkPolicy', 'projectcalico.org/v3'],
    ['NetworkPolicy', 'crd.projectcalico.org/v1'],
    ['StagedNetworkPolicy', 'projectcalico.org/v3'],
    ['NetworkSet', 'projectcalico.org/v3'],
    ['NetworkPolicy', 'crd.antrea.io/v1beta1'],
  ])('%s (%s) is one warning', async (kind, apiVersion) => {
    const spec = '{selector: "app == \'a\'", order: 5, types: [Ingress], ingress: [{action: Allow}]}';
    const { findings, rules } = await told(object(kind, apiVersion, spec));
    expect(rules).toEqual([]);
    expect(findings.map(([severity, line]) => [severity, line])).toEqual([['warning', 1]]);
    expect(findings[0]?.[2]).toMatch(/an object of (Calico|Antrea)/);
  });
});

describe('a template', () => {
  const helm = (line: string) => `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n${line}\nspec: {}\n`;
  test.each([
    ['metadata: {name: {{ .Values.name }}}', 3],
    ['metadata:\n  name: {{ include "chart.name" . }}-deny', 4],
    ['metadata:\n  name: "{{ .Release.Name }}-deny"', 4],
    ["metadata:\n  name: '{{- $name -}}'", 4],
    ['{{- if .Values.enabled }}', 3],
    ['metadata:\n  labels:\n    {{- include "x.labels" . | nindent 4 }}', 5],
    ['metadata:\n  name: {{ item.name }}', 4],
    ['metadata:\n  name: a\n{{/* a comment */}}', 5],
    ['metadata:\n  name: prefix-{{ tpl .Values.x $ }}', 4],
  ])('%j is one error that says how to go on', async (line, at) => {
    const { findings, hints } = await told(helm(line));
    expect(findings).toEqual([
      ['error', at, 'this is a template, not a policy yet: it has "{{" expressions'],
    ]);
    expect(hints[0]).toContain('helm template');
  });

  test('in JSON too', async () => {
    const { findings } = await told('[{"endpointSelector": {{ toJson .Values.selector }}}]', {}, 'p.json');
    expect(findings).toMatchObject([['error', 1, expect.stringContaining('template')]]);
  });

  test.each([
    '# {{ .Values.x }}\n',
    'description: "an agent writes {{ .Values.x }} here"\n',
    'metadata: {annotations: {note: "a {{b}} c"}}\n',
    'apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {summary: "{{ $labels.pod }} is down"}\n',
  ])('%j is none', async (text) => {
    const { findings } = await told(text);
    expect(findings.filter(([, , message]) => message.includes('template'))).toEqual([]);
  });
});

test.each([
  ['at the start', '\ufeffapiVersion: v1\nkind: Service\n'],
  [
    'before a document of joined files',
    'apiVersion: v1\nkind: Service\n---\n\ufeffapiVersion: v1\nkind: Service\n',
  ],
  ['before JSON', '\ufeff{"apiVersion": "v1", "kind": "Service"}'],
])('a byte order mark is skipped %s', async (_, text) => {
  const { findings } = await told(text, { take: () => true });
  expect(findings).toEqual([]);
});

describe('a NetworkPolicy with rules of a direction that policyTypes leave out', () => {
  const policy = (spec: string) =>
    object('NetworkPolicy', 'networking.k8s.io/v1', `{podSelector: {}, ${spec}}`);
  test.each([
    ['policyTypes: [Egress], ingress: [{}]', 'ingress', 'Ingress'],
    ['policyTypes: [Egress], ingress: [{}], egress: [{}]', 'ingress', 'Ingress'],
    ['policyTypes: [Ingress], egress: [{}]', 'egress', 'Egress'],
  ])('%s', async (spec, section, type) => {
    const { findings, rules } = await told(policy(spec));
    expect(findings.map(([severity, , message]) => [severity, message])).toEqual([
      [
        'warning',
        `"policyTypes" does not name ${type}: agents apply the rules of "${section}" all the same and deny all other ${section}`,
      ],
    ]);
    expect(rules[0]?.rule.enableDefaultDeny).toMatchObject({ [section]: true });
  });

  test.each([
    'ingress: [{}], egress: [{}]',
    'policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]',
    'policyTypes: [Egress], ingress: []',
    'policyTypes: [], egress: [{}]',
    'policyTypes: [Egress]',
  ])('no warning: %s', async (spec) => {
    expect((await told(policy(spec))).findings).toEqual([]);
  });
});

describe('a selector that names another namespace than its policy is in', () => {
  const NS = 'io.kubernetes.pod.namespace';
  const policy = (selector: string, kind = 'CiliumNetworkPolicy') =>
    `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: {name: a, namespace: own}\nspec:\n  endpointSelector: ${selector}\n  ingress: [{}]\n`;
  const instead = 'agents select the pods of "own" instead';
  const nothing = 'agents require both, so it selects no pod';
  test.each([
    [`{matchLabels: {"k8s:${NS}": other}}`, instead],
    [`{matchLabels: {"${NS}": other}}`, nothing],
    [`{matchLabels: {"any:${NS}": other, app: a}}`, nothing],
    [`{matchExpressions: [{key: "k8s:${NS}", operator: In, values: [other]}]}`, nothing],
    [
      `{matchExpressions: [{key: "k8s:${NS}", operator: In, values: [own, other]}]}`,
      'agents select the pods of "own" only',
    ],
    [`{matchExpressions: [{key: "k8s:${NS}", operator: NotIn, values: [own]}]}`, nothing],
    [`{matchExpressions: [{key: "k8s:${NS}", operator: DoesNotExist}]}`, nothing],
  ])('%s', async (selector, effect) => {
    const { findings } = await told(policy(selector));
    expect(findings).toHaveLength(1);
    expect(findings[0]?.[0]).toBe('warning');
    expect(findings[0]?.[2]).toMatch(new RegExp(`but the policy is in "own": ${effect}$`));
  });

  test.each([
    `{matchLabels: {"k8s:${NS}": own}}`,
    `{matchLabels: {app: other}}`,
    `{matchExpressions: [{key: "k8s:${NS}", operator: In, values: [own]}]}`,
    `{matchExpressions: [{key: "k8s:${NS}", operator: NotIn, values: [other]}]}`,
    `{matchExpressions: [{key: "k8s:${NS}", operator: Exists}]}`,
  ])('no warning: %s', async (selector) => {
    expect((await told(policy(selector))).findings).toEqual([]);
  });

  test('nor in a clusterwide policy, or for peers', async () => {
    const clusterwide = policy(`{matchLabels: {"k8s:${NS}": other}}`, 'CiliumClusterwideNetworkPolicy');
    expect((await told(clusterwide.replace(', namespace: own', ''))).findings).toEqual([]);
    const peers = policy('{}').replace('[{}]', `[{fromEndpoints: [{matchLabels: {"k8s:${NS}": other}}]}]`);
    expect((await told(peers)).findings).toEqual([]);
  });
});

test.each(['', '""', 'yes', '~', '5', '[NetworkPolicy]'])(
  'an object of the kind %j is an error',
  async (kind) => {
    const { findings } = await told(object(kind, 'cilium.io/v2'));
    expect(findings).toMatchObject([['error', expect.any(Number), expect.stringContaining('kind')]]);
  },
);

test('each of `specs` must have a section', async () => {
  const specs = [
    '{endpointSelector: {}, ingress: []}',
    '{endpointSelector: {}, ingress: [{}]}',
    '{endpointSelector: {}, egressDeny: []}',
  ];
  const text = `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspecs:\n${specs.map((spec) => `- ${spec}\n`).join('')}`;
  for (const [target, severity] of [
    ['1.20', 'error'],
    ['1.17', 'error'],
    ['1.14', 'warning'],
  ] as const) {
    const { findings, rules } = await told(text, { target });
    expect(findings.map(([found, line]) => [found, line])).toEqual([
      [severity, 5],
      [severity, 7],
    ]);
    expect(rules).toHaveLength(3);
  }
});
