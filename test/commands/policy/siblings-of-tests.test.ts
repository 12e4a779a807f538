import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'siblings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: d}, ${spec}}`;
const ccnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, ${spec}}`;
const knp = (spec: string) =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: d}, spec: ${spec}}`;
const kcnp = (tier: string, action: string) =>
  `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: k}, spec: {tier: ${tier}, priority: 1, subject: {namespaces: {}}, ingress: [{action: ${action}, from: [{namespaces: {}}]}]}}`;

type Verdict = 'allow' | 'deny' | 'unknown';
const VERDICTS: readonly Verdict[] = ['allow', 'deny', 'unknown'];

interface Asked {
  policy: string | Uint8Array;
  from: string;
  to: string;
  port?: string;
  state?: object;
  flags?: readonly string[];
}

/** Runs a file with one test for each verdict that can be expected. */
async function runTests({ policy, from, to, port = '80', state, flags = [] }: Asked) {
  writeFileSync(join(folder, 'p.yaml'), policy);
  writeFileSync(join(folder, 's.json'), JSON.stringify(state ?? {}));
  const tests = VERDICTS.map((verdict) => ({ name: verdict, from, to, port, expect: verdict }));
  const files = { rules: ['p.yaml'], ...(state && { state: 's.json' }), namespace: 'd' };
  writeFileSync(join(folder, 't.yaml'), JSON.stringify({ ...files, tests }));
  const of = async (format: string) =>
    await run(['policy', 'test', 't.yaml', '-o', format, ...flags], { cwd: folder });
  return { json: await of('json'), text: await of('text'), junit: await of('junit') };
}

interface Result {
  name: Verdict;
  passed: boolean;
  got: Verdict;
  reason: string;
}

/** The verdict, which passes where it is expected and nowhere else, in every format; the reason beside it. */
async function verdictOf(asked: Asked): Promise<[Verdict, string]> {
  const { json, text, junit } = await runTests(asked);
  // Warnings stand there; an error would decide nothing.
  for (const { stderr } of [json, text, junit]) expect(stderr).not.toContain('Error: ');
  expect([json.code, text.code, junit.code]).toEqual([1, 1, 1]);
  const results = JSON.parse(json.stdout) as Result[];
  const [{ got, reason } = { got: 'unknown' as const, reason: '' }] = results;
  expect(results.map((each) => each.got)).toEqual([got, got, got]);
  for (const { name, passed } of results) expect([name, passed]).toEqual([name, name === got]);
  expect(text.stdout).toContain('3 tests, 2 failed');
  expect(text.stdout).toMatch(new RegExp(`^ok +${got}$`, 'm'));
  expect(junit.stdout).toContain('failures="2"');
  return [got, reason];
}

const pod = (id: number, app: string, more: readonly string[] = []) => ({
  id,
  labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=d', ...more],
});
const WEB_API = { identities: [pod(1001, 'web'), pod(1002, 'api')] };
const A = 'app=web';
const B = 'app=api';

const V4 = cnp('spec: {endpointSelector: {}, egress: [{toCIDR: [0.0.0.0/0]}]}');
const V6 = cnp('spec: {endpointSelector: {}, egress: [{toCIDR: ["::/0"]}]}');
const CLUSTER = ccnp('spec: {endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}');
const HOST = ccnp('spec: {nodeSelector: {}, ingress: [{toPorts: [{ports: [{port: "22", protocol: TCP}]}]}]}');
const HOST_LABELS = ccnp(
  'spec: {nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [health]}]}',
);
const NODES = {
  identities: [
    pod(1001, 'web'),
    { id: 1, labels: ['reserved:host', 'k8s:role=worker'] },
    { id: 6, labels: ['reserved:remote-node'] },
  ],
};
const SERVICES = {
  ...WEB_API,
  endpoints: [
    { id: 1, identity: 1001 },
    { id: 2, identity: 1002, namedPorts: [{ name: 'http', port: 8080, protocol: 'TCP' }] },
  ],
  ips: [
    { cidr: '10.0.0.1/32', identity: 1001 },
    { cidr: '10.0.0.2/32', identity: 1002 },
  ],
  objects: [
    {
      kind: 'Service',
      metadata: { name: 'api', namespace: 'd' },
      spec: {
        clusterIP: '10.96.0.20',
        clusterIPs: ['10.96.0.20', 'fd96::20'],
        externalIPs: ['192.0.2.20'],
        selector: { app: 'api' },
        ports: [{ port: 80, protocol: 'TCP', targetPort: 'http', nodePort: 30080 }],
      },
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.20' }] } },
    },
    {
      kind: 'Service',
      metadata: { name: 'gone', namespace: 'd' },
      spec: { clusterIP: '10.96.0.30', selector: { tier: 'gone' }, ports: [{ port: 8080, protocol: 'TCP' }] },
    },
  ],
};
const TO_API = cnp(
  'spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toEndpoints: [{matchLabels: {app: api}}], toPorts: [{ports: [{port: "8080", protocol: TCP}]}]}]}',
);
const PORT_NAME = cnp(
  'spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]}',
);
const TWO_NUMBERS = {
  ...SERVICES,
  identities: [...WEB_API.identities, pod(1003, 'db')],
  endpoints: [
    ...SERVICES.endpoints,
    { id: 3, identity: 1003, namedPorts: [{ name: 'http', port: 9090, protocol: 'TCP' }] },
  ],
};
const TIERS = [
  kcnp('Admin', 'Deny'),
  cnp('spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}'),
].join('\n---\n');
const DNS = cnp('spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: "*.example.com"}]}]}');
const GROUP = cnp('spec: {endpointSelector: {}, egress: [{toCIDRSet: [{cidrGroupRef: office}]}]}');
const OFFICE = {
  ...WEB_API,
  objects: [
    { kind: 'CiliumCIDRGroup', metadata: { name: 'office' }, spec: { externalCIDRs: ['198.51.100.0/24'] } },
  ],
};
const TEAM = cnp(
  'spec: {endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}]}]}',
);
const ON = ['--cluster-network-policy', 'on'];

describe('policy test passes where the verdict is what is expected, and unknown is none of the others', () => {
  test.each<[kind: string, verdict: Verdict, asked: Asked, missing?: RegExp]>([
    // Prefixes of all addresses.
    ['IPv4 for IPv6', 'deny', { policy: V4, from: A, to: '2606:4700::1' }],
    ['IPv4 for IPv4', 'allow', { policy: V4, from: A, to: '1.2.3.4' }],
    ['IPv6 for IPv4', 'deny', { policy: V6, from: A, to: '1.2.3.4' }],
    ['IPv4 for the world', 'unknown', { policy: V4, from: A, to: 'world' }, /address famil/],
    ['IPv4 for a name', 'unknown', { policy: V4, from: A, to: 'fqdn:a.example' }, /address famil/],
    [
      'IPv4 for IPv6 of a release before 1.15',
      'allow',
      { policy: V4, from: A, to: '2606::1', flags: ['--release', '1.14'] },
    ],
    // The cluster and what is outside.
    ['the cluster for the world', 'deny', { policy: CLUSTER, from: 'world', to: B }],
    ['the cluster for an address outside', 'deny', { policy: CLUSTER, from: '1.2.3.4', to: B }],
    ['the cluster for a node', 'allow', { policy: CLUSTER, from: 'remote-node', to: B }],
    [
      'the cluster for a pod of one without a name',
      'unknown',
      { policy: CLUSTER, from: 'app=x', to: B },
      /cluster/,
    ],
    // The host.
    ['the host without a word', 'unknown', { policy: HOST, from: A, to: 'host' }, /host firewall/],
    [
      'the host, its firewall off',
      'allow',
      { policy: HOST, from: A, to: 'host', flags: ['--host-firewall', 'off'] },
    ],
    [
      'the host, its firewall on',
      'deny',
      { policy: HOST, from: A, to: 'host', flags: ['--host-firewall', 'on'] },
    ],
    [
      'the host, by its port',
      'allow',
      { policy: HOST, from: A, to: 'host', port: '22', flags: ['--host-firewall', 'on'] },
    ],
    [
      'the host, on in the state',
      'deny',
      { policy: HOST, from: A, to: 'host', state: { ...NODES, hostFirewall: true } },
    ],
    [
      'another node, its firewall not known',
      'unknown',
      { policy: HOST, from: A, to: 'remote-node', state: NODES },
    ],
    [
      'labels of a node that are known',
      'deny',
      { policy: HOST_LABELS, from: A, to: 'host', state: { ...NODES, hostFirewall: true } },
    ],
    [
      'labels of a node that are not',
      'unknown',
      { policy: HOST_LABELS, from: A, to: 'host', flags: ['--host-firewall', 'on'] },
      /label/,
    ],
    // Services.
    ['the address of a service', 'allow', { policy: TO_API, from: A, to: '10.96.0.20', state: SERVICES }],
    ['its other family', 'allow', { policy: TO_API, from: A, to: 'fd96::20', state: SERVICES }],
    ['its external address', 'allow', { policy: TO_API, from: A, to: '192.0.2.20', state: SERVICES }],
    ['that of its load balancer', 'allow', { policy: TO_API, from: A, to: '198.51.100.20', state: SERVICES }],
    [
      'a port that the service has not',
      'unknown',
      { policy: TO_API, from: A, to: '10.96.0.20', port: '8080', state: SERVICES },
    ],
    [
      'a service without known backends',
      'unknown',
      { policy: TO_API, from: A, to: '10.96.0.30', port: '8080', state: SERVICES },
    ],
    [
      'the address of its pod',
      'allow',
      { policy: TO_API, from: A, to: '10.0.0.2', port: '8080', state: SERVICES },
    ],
    // Names of ports.
    ['a port name without a state', 'unknown', { policy: PORT_NAME, from: A, to: B, port: '8080' }, /port/],
    [
      'a port name of one number',
      'allow',
      { policy: PORT_NAME, from: A, to: B, port: '8080', state: SERVICES },
    ],
    ['another port', 'deny', { policy: PORT_NAME, from: A, to: B, port: '8081', state: SERVICES }],
    [
      'a port name of two numbers',
      'unknown',
      { policy: PORT_NAME, from: A, to: B, port: '8080', state: TWO_NUMBERS },
      /1\.20/,
    ],
    [
      'a port name of two numbers, 1.19',
      'deny',
      { policy: PORT_NAME, from: A, to: B, port: '8080', state: TWO_NUMBERS, flags: ['--release', '1.19'] },
    ],
    [
      'a port name of two numbers, 1.20',
      'allow',
      { policy: PORT_NAME, from: A, to: B, port: '8080', state: TWO_NUMBERS, flags: ['--release', '1.20'] },
    ],
    // What only some agents read.
    [
      'a tier, of which it is not known whether agents read it',
      'unknown',
      { policy: TIERS, from: A, to: B },
      /ClusterNetworkPolicy/,
    ],
    ['a tier that agents read', 'deny', { policy: TIERS, from: A, to: B, flags: ON }],
    [
      'a tier that they do not',
      'allow',
      { policy: TIERS, from: A, to: B, flags: ['--cluster-network-policy', 'off'] },
    ],
    // Names, groups, namespaces.
    ['a DNS name', 'allow', { policy: DNS, from: A, to: 'fqdn:a.example.com' }],
    ['another DNS name', 'deny', { policy: DNS, from: A, to: 'fqdn:a.example.org' }],
    [
      'an address of which no name is known',
      'unknown',
      { policy: DNS, from: A, to: '192.0.2.1' },
      /DNS name/,
    ],
    [
      'a group of prefixes that is known',
      'allow',
      { policy: GROUP, from: A, to: '198.51.100.7', state: OFFICE },
    ],
    ['a group of prefixes that is not', 'unknown', { policy: GROUP, from: A, to: '198.51.100.7' }, /office/],
    ['labels of a namespace that are not known', 'unknown', { policy: TEAM, from: A, to: B }, /namespace/],
    [
      'labels of a namespace that are',
      'deny',
      {
        policy: TEAM,
        from: A,
        to: B,
        state: {
          identities: [pod(1001, 'web', ['k8s:io.cilium.k8s.namespace.labels.team=blue']), pod(1002, 'api')],
        },
      },
    ],
    // What NetworkPolicies leave out.
    [
      'policyTypes of egress with ingress rules',
      'allow',
      {
        policy: knp('{podSelector: {}, policyTypes: [Egress], ingress: [{from: []}]}'),
        from: 'world',
        to: B,
      },
    ],
    // YAML as kubectl reads it.
    [
      'a merge',
      'allow',
      {
        policy: cnp(
          'spec: {endpointSelector: {matchLabels: &a {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {<<: *a, app: web}}]}]}',
        ),
        from: A,
        to: B,
      },
    ],
    [
      'a merge that another part of selects',
      'deny',
      {
        policy: cnp(
          'spec: {endpointSelector: {matchLabels: &a {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {<<: *a, tier: t}}]}]}',
        ),
        from: A,
        to: B,
      },
    ],
    ['a mark of byte order', 'allow', { policy: `\ufeff${CLUSTER}`, from: 'host', to: B }],
  ])('%s: %s', async (_, verdict, asked, missing = /^/) => {
    const [got, reason] = await verdictOf(asked);
    expect([got, reason]).toEqual([verdict, expect.anything()]);
    expect(reason).toMatch(missing);
    if (verdict === 'unknown') expect(reason).toContain('cannot be decided: ');
  });
});

describe('labels that several identities have', () => {
  const TIER = cnp(
    'spec: {endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {app: web, tier: front}}]}]}',
  );
  const state = (...webs: (readonly string[])[]) => ({
    identities: [pod(1002, 'api'), ...webs.map((more, n) => pod(1010 + n, 'web', more))],
  });
  const CLUSTER_LABEL = 'k8s:io.cilium.k8s.policy.cluster=lab';
  test.each<[kind: string, verdict: Verdict, state: object]>([
    ['one with more', 'allow', state(['k8s:tier=front'])],
    ['two that are alike', 'allow', state(['k8s:tier=front', 'k8s:v=1'], ['k8s:tier=front', 'k8s:v=2'])],
    ['two that differ', 'unknown', state(['k8s:tier=front'], ['k8s:tier=back'])],
    ['two that differ, the other way round', 'unknown', state(['k8s:tier=back'], ['k8s:tier=front'])],
    ['one that has no others', 'deny', state([], ['k8s:tier=front'])],
    ['one that has no others of its own', 'deny', state([CLUSTER_LABEL], ['k8s:tier=front'])],
    ['one that is not labelled yet', 'allow', state(['reserved:init'], ['k8s:tier=front', CLUSTER_LABEL])],
  ])('%s: %s', async (_, verdict, known) => {
    const [got, reason] = await verdictOf({ policy: TIER, from: A, to: B, state: known });
    expect([got, reason]).toEqual([verdict, expect.anything()]);
    if (verdict === 'unknown') expect(reason).toContain('several identities have the labels app=web');
  });
});

describe('policy test decides nothing by what it has not understood', () => {
  test.each<[kind: string, policy: string | Uint8Array, said: RegExp]>([
    ['empty sections', cnp('spec: {endpointSelector: {}, ingress: []}'), /at least one of Ingress/],
    [
      'empty sections of one of several',
      cnp('specs: [{endpointSelector: {}, ingress: [{}]}, {endpointSelector: {}, egress: []}]'),
      /at least one of Ingress/,
    ],
    [
      'a boolean for a label',
      cnp('spec: {endpointSelector: {matchLabels: {app: on}}, ingress: [{}]}'),
      /"on"/,
    ],
    [
      'a number for a label',
      cnp('spec: {endpointSelector: {matchLabels: {app: 1_000}}, ingress: [{}]}'),
      /"1_000"/,
    ],
    ['UTF-16', Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(CLUSTER, 'utf16le')]), /UTF-16/],
    ['a Helm template', `{{- if .Values.on }}\n${CLUSTER}\n{{- end }}\n`, /[Rr]ender/],
    [
      'an AdminNetworkPolicy',
      '{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: a}, spec: {priority: 1, subject: {namespaces: {}}}}',
      /AdminNetworkPolicy/,
    ],
    [
      'a BaselineAdminNetworkPolicy',
      '{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}}}',
      /BaselineAdminNetworkPolicy/,
    ],
    [
      'a GlobalNetworkPolicy',
      '{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: g}, spec: {selector: all()}}',
      /GlobalNetworkPolicy/,
    ],
    [
      'an empty key in a rule of L7',
      cnp(
        'spec: {endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {l7proto: x, l7: [{"": a}]}}]}]}',
      ),
      /Empty key/,
    ],
  ])('%s', async (_, policy, said) => {
    const { json, text, junit } = await runTests({ policy, from: A, to: B });
    for (const each of [json, text, junit]) {
      expect([each.stdout, each.code]).toEqual(['', 1]);
      expect(each.stderr).toMatch(said);
    }
  });

  test('a tier of an agent that cannot read it', async () => {
    const { json } = await runTests({ policy: TIERS, from: A, to: B, flags: ['--release', '1.19'] });
    expect([json.stdout, json.code]).toEqual(['', 1]);
    expect(json.stderr).toContain('1.19 does not read a ClusterNetworkPolicy');
  });

  test('--init writes no test of what is not known', async () => {
    for (const [policy, flags] of [
      [TEAM, []],
      [GROUP, []],
      [PORT_NAME, []],
      [TIERS, []],
      [HOST, []],
    ] as const) {
      writeFileSync(join(folder, 'p.yaml'), policy);
      const { stdout } = await run(['policy', 'test', '--init', '-r', 'p.yaml', ...flags], { cwd: folder });
      writeFileSync(join(folder, 't.yaml'), stdout);
      expect(stdout).not.toContain('expect: unknown');
    }
  });
});
