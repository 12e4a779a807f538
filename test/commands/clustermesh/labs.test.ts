import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loopbackCertificate } from '../../../src/lab/kube/certificate.ts';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { type FakeHelm, fakeHelm } from '../../helpers/fake-helm.ts';
import { run } from '../../helpers/run.ts';

const HOME = '/api/v1/namespaces/kube-system';
const CA = loopbackCertificate(Date.now()).cert;
const folder = mkdtempSync(join(tmpdir(), 'labs-'));
const kubeconfig = join(folder, 'config');

let labs: TestCluster[] = [];
let helm: FakeHelm;
const mesh = (...argv: string[]) =>
  run(['clustermesh', ...argv], {
    nowMs: Date.now(),
    env: { KUBECONFIG: kubeconfig, CILIUM_HELM: helm.path, PATH: '/usr/bin:/bin' },
  });

/** Gives a lab what a cluster of a mesh has, but for the server itself. */
async function becomeMember(lab: TestCluster, number: number): Promise<void> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const place = base64('endpoints:\n- https://other:2379\n');
  const config = {
    'cluster-id': `${number}`,
    'cluster-name': `lab${number}`,
    'identity-allocation-mode': 'crd',
  };
  await lab.call('PATCH', `${HOME}/configmaps/cilium-config`, { data: config });
  const objects: [string, string, object][] = [
    ['secrets', 'cilium-ca', { data: { 'ca.crt': base64(CA) } }],
    ['secrets', 'clustermesh-apiserver-remote-cert', { data: { 'ca.crt': base64(CA) } }],
    ['secrets', 'cilium-clustermesh', { data: { [`lab${3 - number}`]: place } }],
    [
      'services',
      'clustermesh-apiserver',
      { spec: { type: 'NodePort', ports: [{ port: 2379, nodePort: 32379 }] } },
    ],
  ];
  for (const [plural, name, object] of objects) {
    const made = await lab.call(
      'POST',
      `${HOME}/${plural}`,
      { apiVersion: 'v1', metadata: { name, namespace: 'kube-system' }, ...object },
      'application/json',
    );
    expect(made.status).toBe(201);
  }
}

beforeAll(async () => {
  helm = fakeHelm();
  labs = [await startTestCluster({ nodes: 2 }), await startTestCluster({ nodes: 2 })];
  for (const [i, lab] of labs.entries()) await becomeMember(lab, i + 1);
  const configs = labs.map((lab) => JSON.parse(readFileSync(lab.kubeconfig, 'utf8')));
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: configs.map(({ clusters: [one] }, i) => ({ ...one, name: `net-${i + 1}` })),
      users: configs.map(({ users: [one] }, i) => ({ ...one, name: `user-${i + 1}` })),
      contexts: configs.map((_, i) => ({
        name: `ctx-${i + 1}`,
        context: { cluster: `net-${i + 1}`, user: `user-${i + 1}` },
      })),
      'current-context': 'ctx-1',
    }),
  );
});
afterAll(async () => {
  for (const lab of labs) await lab[Symbol.asyncDispose]();
  helm[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('two clusters whose pods have the same addresses are not connected', async () => {
  const { stderr, code } = await mesh('connect', '--destination-context', 'ctx-2');
  expect(stderr).toMatch(
    /Unable to connect cluster: pods of two clusters may have the same addresses: \S+ \(lab1, node \S+\) and \S+ \(lab2, node \S+\)/,
  );
  expect([code, helm.calls().length]).toEqual([1, 0]);
});

test('unless that is allowed: each is told where the other is', async () => {
  const { stdout, code } = await mesh(
    ...['connect', '--destination-context', 'ctx-2', '--allow-overlapping-pod-cidrs'],
  );
  expect(stdout).toMatch(/✅ Connected cluster net-1 <=> net-2!\n$/);
  expect(code).toBe(0);
  const values = helm
    .calls()
    .map(({ values: [first] }) => JSON.parse(first?.text ?? '{}').clustermesh.config.clusters);
  expect(values).toEqual([
    { lab2: { ips: [expect.stringMatching(/^[\d.]+$/)], port: 32379 } },
    { lab1: { ips: [expect.stringMatching(/^[\d.]+$/)], port: 32379 } },
  ]);
});

test('the status asks the agents, which know of no mesh, over their roads', async () => {
  const { stdout, stderr, code } = await mesh('status');
  expect(stdout).toContain('✅ Service "clustermesh-apiserver" of type "NodePort" found\n');
  // The lab runs no server of a mesh.
  expect(stderr).toContain('deployment clustermesh-apiserver is not ready: ');
  expect(code).toBe(1);
  const [first] = labs;
  await first?.call('PATCH', `${HOME}/configmaps/cilium-config`, {
    data: { 'identity-allocation-mode': 'kvstore' },
  });
  const connected = await mesh('status');
  expect(connected.stdout).toContain(
    '✅ Cilium is configured with an external kvstore\n\n⚠️  2/2 nodes are not connected to all clusters',
  );
  expect(connected.stdout).toContain('  - lab2: 0/2 configured, 0/2 connected\n\n❌ 2 Errors:\n');
  expect(connected.code).toBe(1);
});
