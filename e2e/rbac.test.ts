import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NEEDS } from '../src/commands/rbac/needs.ts';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';
import { addNode, addPod } from './kubelet.ts';
import { allRun, type Kwok, startKwok } from './kwok.ts';

const folder = mkdtempSync(join(tmpdir(), 'rbac-'));
const POLICY = join(folder, 'policy.yaml');
const FLOWS = join(folder, 'flows.json');
const TESTS = join(folder, 'tests.yaml');
writeFileSync(
  POLICY,
  '{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: default}, spec: {endpointSelector: {}, ingress: [{}]}}',
);
writeFileSync(FLOWS, '{"flow":{"verdict":"FORWARDED"}}\n');
writeFileSync(TESTS, 'tests:\n- {from: app=a, to: app=b, port: 80, expect: allow}\n');

const OF_CLUSTER = ['--state', 'cluster'];
/** How a row is run where its words alone are not enough. */
const ARGV: Readonly<Record<string, readonly string[]>> = {
  'config set': ['debug', 'true'],
  'config set --restart': ['rolling', 'debug', 'false'],
  'config delete': ['debug'],
  'config lint': ['--live'],
  'encrypt rotate-key': ['--force'],
  'encryption rotate-key': ['--force'],
  'endpoint list': ['-A'],
  'hubble observe --port-forward': ['--last', '1'],
  'logs --follow': ['--tail', '1'],
  'lrp list': ['-A'],
  'multicast list subscriber': ['--all'],
  'multicast add': ['-g', '239.255.0.1'],
  'multicast delete': ['-g', '239.255.0.1'],
  'policy delete': ['--cluster', 'cnp/p'],
  'preflight upgrade': ['--to', '1.20'],
  'policy get': ['-A'],
  'policy import --via': ['kubernetes', POLICY],
  'policy maps': OF_CLUSTER,
  'policy cost': OF_CLUSTER,
  'policy coverage': OF_CLUSTER,
  'policy unused': OF_CLUSTER,
  'policy simulate': [...OF_CLUSTER, '--from', 'app=a', '--to', 'app=b', '--port', '80'],
  'policy test': [...OF_CLUSTER, TESTS],
  'policy why': [...OF_CLUSTER, '{"verdict":"FORWARDED"}'],
  'policy replay': [...OF_CLUSTER, '--flows', FLOWS, '--candidate', POLICY],
  'policy suggest': [...OF_CLUSTER, '--flows', FLOWS],
  'policy validate': ['--live'],
};
/** What these print or return depends on what ran before: an archive that stands there is not overwritten. */
const WRITES =
  /^(?:sysdump|config (?:set|delete)|encrypt(?:ion)? (?:create|rotate)-key|policy (?:delete|import))/;
const ROLES = '/apis/rbac.authorization.k8s.io/v1';

interface Named {
  kind: string;
  metadata: { name: string; namespace?: string };
}

function pathOf({ kind, metadata: { namespace } }: Named): string {
  const plural = `${kind.toLowerCase()}s`;
  return namespace === undefined ? `${ROLES}/${plural}` : `${ROLES}/namespaces/${namespace}/${plural}`;
}

let server: ApiServer;
let lab: TestLab;
let kwok: Kwok;
beforeAll(async () => {
  [server, lab] = await Promise.all([startApiServer(), startTestLab({ scenario: 'shop' })]);
  kwok = await startKwok(server, { lab });
  for (const plural of ['ciliumnetworkpolicies', 'ciliumendpoints', 'ciliumidentities', 'ciliumnodes'])
    await addDefinition(server, plural);
  await addNode(server, 'n1');
  await addPod(server, {
    name: 'cilium-n1',
    node: 'n1',
    labels: { 'k8s-app': 'cilium' },
    container: 'cilium-agent',
  });
  await allRun(server);
  const made = await server.call('POST', '/api/v1/namespaces/kube-system/configmaps', {
    metadata: { name: 'cilium-config' },
    data: { debug: 'false' },
  });
  expect(made.status).toBe(201);
});
afterAll(async () => {
  await kwok[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function as(user: string, row: string) {
  return run([...row.split(' '), ...(ARGV[row] ?? [])], {
    env: {
      KUBECONFIG: server.kubeconfig(user),
      CILIUM_NAMESPACE: 'kube-system',
      CILIUM_TARGET: 'cluster',
      XDG_STATE_HOME: folder,
    },
    signal: AbortSignal.timeout(20_000),
  });
}

const ROWS = Object.keys(NEEDS).filter((row) => (NEEDS[row]?.needs.length ?? 0) > 0);
test.each(ROWS)('%s as a user who has just the roles that are printed for it', async (row) => {
  const printed = await run([
    'rbac',
    ...row.split(' '),
    '--name',
    'limited',
    '--user',
    'viewer',
    '-o',
    'json',
  ]);
  const objects: Named[] = JSON.parse(printed.stdout).items;
  try {
    for (const object of objects)
      expect((await server.call('POST', pathOf(object), object)).status).toBe(201);
    const { stdout, stderr, code } = await as('viewer', row);
    const refused = `${stdout}${stderr}`.match(/User "viewer" cannot [^\n]*/g) ?? [];
    expect(refused).toEqual([]);
    if (!WRITES.test(row)) expect(code).toBe((await as('admin', row)).code);
  } finally {
    for (const object of objects) await server.call('DELETE', `${pathOf(object)}/limited`);
  }
});
