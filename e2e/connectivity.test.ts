import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';
import { addNode, addPod } from './kubelet.ts';
import { allRun, type Kwok, startKwok } from './kwok.ts';

let server: ApiServer;
let lab: TestLab;
let kwok: Kwok;
const NAMESPACE = '/api/v1/namespaces/cilium-test-1';
const connectivity = (...more: string[]) =>
  run(['connectivity', ...more], { nowMs: Date.now(), env: { KUBECONFIG: server.kubeconfig('admin') } });

const patch = (node: string, change: object) =>
  server.call('PATCH', `/api/v1/nodes/${node}`, change, 'application/merge-patch+json');

beforeAll(async () => {
  [server, lab] = await Promise.all([startApiServer(), startTestLab({ scenario: 'shop' })]);
  kwok = await startKwok(server, { lab });
  for (const node of ['n1', 'n2']) {
    await addNode(server, node);
    await addPod(server, {
      name: `cilium-${node}`,
      node,
      labels: { 'k8s-app': 'cilium' },
      container: 'cilium-agent',
    });
  }
  await allRun(server);
  // Which a controller would do when they are ready.
  for (const node of ['n1', 'n2']) await patch(node, { spec: { taints: null } });
  for (const plural of ['ciliumnetworkpolicies', 'ciliumidentities', 'ciliumendpoints', 'ciliumnodes'])
    await addDefinition(server, plural);
  await server.call('POST', '/api/v1/namespaces/kube-system/configmaps', {
    metadata: { name: 'cilium-config' },
    data: { 'enable-ipv4': 'true' },
  });
});
afterAll(async () => {
  await kwok[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

test('objects of the tests are what a real API server takes, and where no controller runs it says so', async () => {
  // What the controller of namespaces would do.
  const timer = setInterval(async () => {
    const { body } = await server.call('GET', NAMESPACE);
    const found = JSON.parse(body);
    if (found.metadata?.deletionTimestamp === undefined) return;
    await server.call('PUT', `${NAMESPACE}/finalize`, { ...found, spec: { finalizers: [] } });
  }, 500);
  const { stdout, stderr, code } = await connectivity('test', '--deploy-timeout', '3s');
  clearInterval(timer);
  expect(stdout).toContain('Deploying echo-other-node service...\n');
  expect(stderr).toContain(
    'no pod was made after 3 s: no controller of this cluster takes up deployments, so pods do not run here',
  );
  expect(code).toBe(1);
  expect((await server.call('GET', NAMESPACE)).status).toBe(404);
  const { body: left } = await server.call('GET', '/apis/apps/v1/namespaces/cilium-test-1/deployments');
  expect(JSON.parse(left).items).toEqual([]);
});

test('nodes of kwok run no pods, which is said before anything is deployed', async () => {
  for (const node of ['n1', 'n2'])
    await patch(node, { metadata: { annotations: { 'kwok.x-k8s.io/node': 'fake' } } });
  const { stdout, stderr, code } = await connectivity('test', '--test-namespace', 'other');
  expect(stderr).toContain(
    'no node of the cluster can run the test pods\nn1: it is a node of kwok, which runs no pods\n',
  );
  expect([stdout, code]).toEqual(['', 1]);
});

test('a pod that only seems to run has no address', async () => {
  await addPod(server, {
    name: 'web',
    node: 'n1',
    labels: {},
    container: 'main',
    namespace: 'default',
  } as never);
  await addPod(server, {
    name: 'api',
    node: 'n2',
    labels: {},
    container: 'main',
    namespace: 'default',
  } as never);
  await allRun(server);
  const { stdout, stderr, code } = await connectivity('check', 'default/web', 'default/api', '--port', '80');
  expect(stderr).toContain('the pod default/api has no address');
  expect([stdout, code]).toEqual(['', 1]);
});
