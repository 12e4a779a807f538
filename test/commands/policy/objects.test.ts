import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

const POLICY = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: d}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toEndpoints: [{matchLabels: {app: db}}]
    toPorts: [{ports: [{port: pg, protocol: TCP}]}]
  - toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]
    toPorts: [{ports: [{port: "5353", protocol: UDP}]}]
  - toEndpoints: [{matchLabels: {"k8s:io.cilium.k8s.namespace.labels.team": red}}]
    toPorts: [{ports: [{port: "9000", protocol: TCP}]}]
`;

const pod = (name: string, namespace: string, labels: object, ips: string[], more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels },
  spec: { containers: [{ name: 'c' }], ...more },
  status: { phase: 'Running', podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) },
});
const service = (name: string, namespace: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec,
});
const named = (name: string, containerPort: number, protocol = 'TCP') => ({
  containers: [{ name: 'c', ports: [{ name, containerPort, protocol }] }],
});

const OBJECTS = [
  service('db', 'd', {
    clusterIP: '10.96.0.20',
    selector: { app: 'db' },
    ports: [{ port: 80, targetPort: 'pg' }],
  }),
  service('kube-dns', 'kube-system', {
    clusterIP: '10.96.0.10',
    selector: { 'k8s-app': 'kube-dns' },
    ports: [{ port: 53, protocol: 'UDP', targetPort: 'dns' }],
  }),
  service('agent', 'd', { clusterIP: '10.96.0.30', selector: { app: 'agent' }, ports: [{ port: 9100 }] }),
  service('ext', 'd', { clusterIP: '10.96.0.40', ports: [{ port: 9000 }] }),
  {
    kind: 'EndpointSlice',
    metadata: { name: 'ext-1', namespace: 'd', labels: { 'kubernetes.io/service-name': 'ext' } },
    ports: [{ port: 9000, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.0.0.8'], targetRef: { kind: 'Pod', namespace: 'red', name: 'api-0' } }],
  },
  pod('db-0', 'd', { app: 'db', tier: 'x' }, ['10.0.0.5', 'fd00::5'], named('pg', 5432)),
  pod('dns-0', 'kube-system', { 'k8s-app': 'kube-dns' }, ['10.0.0.6'], named('dns', 5353, 'UDP')),
  pod('web-0', 'd', { app: 'web' }, ['10.0.0.7'], { serviceAccountName: 'web' }),
  pod('api-0', 'red', { app: 'api' }, ['10.0.0.8']),
  pod('agent-0', 'd', { app: 'agent' }, ['192.168.1.7'], { hostNetwork: true }),
  { ...pod('job-0', 'd', { app: 'db' }, ['10.0.0.9']), status: { phase: 'Succeeded', podIP: '10.0.0.9' } },
  { kind: 'Namespace', metadata: { name: 'red', labels: { team: 'red' } } },
  { kind: 'Namespace', metadata: { name: 'd', labels: { team: 'blue' } } },
];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'objects-'));
  writeFileSync(join(folder, 'policy.yaml'), POLICY);
  writeFileSync(
    join(folder, 'objects.json'),
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same objects beside the policies, and as a state that kubectl prints. */
const GIVEN = [
  ['beside the policies', ['-r', 'policy.yaml', '-r', 'objects.json']],
  ['as the state', ['-r', 'policy.yaml', '-s', 'objects.json']],
] as const;

describe.each(GIVEN)('pods, services and namespaces given %s', (_, files) => {
  test.each([
    // The port of the service is not that of the pod, and has its name.
    ['d/web-0', '10.96.0.20', '80', 'allow'],
    ['d/web-0', '10.96.0.20', '5432', 'unknown'],
    ['d/web-0', '10.96.0.10', '53/UDP', 'allow'],
    ['10.0.0.7', '10.96.0.10', '53/UDP', 'allow'],
    ['d/web-0', '10.96.0.10', '53/TCP', 'unknown'],
    // Its backend is a pod of another namespace, by the labels of which a rule selects it.
    ['d/web-0', '10.96.0.40', '9000', 'allow'],
    ['d/web-0', 'red/api-0', '9000', 'allow'],
    ['d/web-0', 'd/db-0', '9000', 'deny'],
    // Pods by their addresses, of both families, and by labels.
    ['d/web-0', '10.0.0.5', '5432', 'allow'],
    ['d/web-0', 'fd00::5', '5432', 'allow'],
    ['d/web-0', 'fd00::5', '80', 'deny'],
    ['app=web,io.kubernetes.pod.namespace=d', 'app=db,io.kubernetes.pod.namespace=d', '5432', 'allow'],
    // A pod on its node's network is this node or another, one that has ended is nothing.
    ['d/web-0', '10.96.0.30', '9100', 'unknown'],
    ['d/web-0', '192.168.1.7', '5432', 'unknown'],
    ['d/web-0', '10.0.0.9', '5432', 'deny'],
  ])('%s -> %s %s: %s', async (from, to, port, expected) => {
    const tests = join(folder, 'tests.json');
    writeFileSync(tests, JSON.stringify({ tests: [{ from, to, port, expect: expected }] }));
    const argv = ['policy', 'test', 'tests.json', ...files, '-o', 'json'];
    const { stdout, code } = await run(argv, { cwd: folder });
    const [result] = JSON.parse(stdout) as { got: string }[];
    expect({ code, got: result?.got }).toEqual({ code: 0, got: expected });
  });

  test('show no number that no agent gave', async () => {
    const argv = ['policy', 'simulate', ...files, '--from', 'd/web-0', '--to', '10.96.0.20', '-p', '80'];
    const { stdout, code } = await run(argv, { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain('From:     d/web-0 (k8s:app=web, ');
    expect(stdout).toContain('Backend:  app=db 5432/TCP allowed');
  });
});

test('objects beside the candidate say what recorded flows to a service mean', async () => {
  const end = (name: string, labels: string[]) => ({ namespace: 'd', pod_name: name, labels });
  const flow = {
    verdict: 'FORWARDED',
    is_reply: false,
    IP: { source: '10.0.0.7', destination: '10.96.0.20', ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 40_000, destination_port: 80 } },
    source: end('web-0', ['k8s:app=web', 'k8s:io.kubernetes.pod.namespace=d']),
    destination: { labels: ['reserved:world'] },
  };
  writeFileSync(join(folder, 'flows.jsonl'), JSON.stringify({ flow }));
  const argv = ['policy', 'replay', '-c', 'policy.yaml', 'objects.json', '-f', 'flows.jsonl', '-o', 'json'];
  const { stdout, code } = await run(argv, { cwd: folder });
  expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({ code: 0, allowed: 1, undecided: [] });
});

test('an object of another kind in a state is an error', async () => {
  writeFileSync(
    join(folder, 'state.json'),
    JSON.stringify({ identities: [], objects: [{ kind: 'Deployment' }] }),
  );
  const argv = [
    'policy',
    'simulate',
    '-r',
    'policy.yaml',
    '-s',
    'state.json',
    '--from',
    'a=b',
    '--to',
    'a=c',
    '-p',
    '1',
  ];
  const { stderr, code } = await run(argv, { cwd: folder });
  expect(code).toBe(1);
  expect(stderr).toContain(
    'objects[0].kind: expected CiliumCIDRGroup, Service, Endpoints, EndpointSlice, Pod or Namespace',
  );
});
