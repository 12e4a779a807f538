import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RunOptions, run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addNode, addPod, grant, type Kubelet, startKubelet } from './kubelet.ts';

let server: ApiServer;
let kubelet: Kubelet;
const AGENT = { labels: { 'k8s-app': 'cilium' }, container: 'cilium-agent' };
const as = (user: string, argv: readonly string[], options: RunOptions = {}) =>
  run(argv, { ...options, env: { KUBECONFIG: server.kubeconfig(user) } });

beforeAll(async () => {
  [server, kubelet] = await Promise.all([startApiServer(), startKubelet()]);
  for (const node of ['n1', 'n2']) {
    await addNode(server, node, kubelet);
    await addPod(server, { name: `cilium-${node}`, node, ...AGENT });
    kubelet.write(`cilium-${node}`, `level=info msg="hello of ${node}" subsys=daemon`);
  }
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await kubelet[Symbol.asyncDispose]();
});

test('lines come from the kubelets of all nodes', async () => {
  const { stdout, stderr, code } = await as('admin', ['logs']);
  expect(stdout.split('\n').map((line) => line.replace(/ {2}2026\S+/, ''))).toEqual([
    'n1  info   [daemon] hello of n1',
    'n2  info   [daemon] hello of n2',
    '',
  ]);
  expect([stderr, code]).toEqual(['', 0]);
});

describe('errors', () => {
  test('rights that are missing are named, one after the other', async () => {
    const list = await as('viewer', ['logs']);
    expect(list.stderr).toContain(
      'User "viewer" cannot list resource "pods" in API group "" in the namespace "kube-system"',
    );
    expect(list.code).toBe(1);
    await grant(server, [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }]);
    const log = await as('viewer', ['logs']);
    expect(log.stderr).toContain(
      'User "viewer" cannot get resource "pods/log" in API group "" in the namespace "kube-system"',
    );
    expect(log.stderr).toContain('2 of 2 logs failed\n');
    expect(log.code).toBe(1);
    await grant(server, [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] }]);
    expect(await as('viewer', ['logs', '-o', 'raw', '--node', 'n1'])).toEqual({
      stdout: 'level=info msg="hello of n1" subsys=daemon\n',
      stderr: '',
      code: 0,
    });
    const nodes = await as('viewer', ['logs', '--limit-nodes', 'a=b']);
    expect(nodes.stderr).toContain(
      'User "viewer" cannot list resource "nodes" in API group "" at the cluster scope',
    );
  });

  test.each<[string, string, string[], string]>([
    ['a token that is not known', 'nobody', [], 'Unauthorized\nThe credentials are not accepted'],
    ['a context that is not there', 'admin', ['--context', 'no'], 'the kubeconfig has no context "no"'],
    ['another namespace', 'admin', ['-n', 'default'], 'no pod of agent is there in the namespace default'],
    ['a node that is not there', 'admin', ['--node', 'n9'], 'n9: no agent of Cilium runs there'],
  ])('%s', async (_, user, words, message) => {
    const { stdout, stderr, code } = await as(user, ['logs', ...words]);
    expect(stderr).toContain(message);
    expect([stdout.includes('2026'), code]).toEqual([false, 1]);
  });
});

test('the namespace is that of the DaemonSet, wherever it is', async () => {
  await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'cilium' } });
  const labels = { 'k8s-app': 'cilium' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'cilium-agent', image: 'x' }] } };
  const path = '/apis/apps/v1/namespaces/cilium/daemonsets';
  await server.call('POST', path, {
    metadata: { name: 'cilium', labels },
    spec: { selector: { matchLabels: labels }, template },
  });
  await addPod(server, { namespace: 'cilium', name: 'elsewhere', node: 'n1', ...AGENT });
  kubelet.write('elsewhere', 'here I am');
  expect((await as('admin', ['logs', '-o', 'raw'])).stdout).toBe('here I am\n');
  await server.call('DELETE', `${path}/cilium`);
});

test('a followed log loses and doubles nothing when the API server is killed and started again, and goes on with the next pod', async () => {
  const stop = new AbortController();
  let out = '';
  let err = '';
  const done = as('admin', ['logs', '-f', '-o', 'raw', '--node', 'n2', '--tail', '0', '-n', 'kube-system'], {
    signal: stop.signal,
    onStdout: (text) => {
      out += text;
    },
    onStderr: (text) => {
      err += text;
    },
  });
  const see = async (text: string) => {
    for (let tries = 0; !out.includes(text) && !err.includes(text); tries++) {
      if (tries > 4000) throw new Error(`never seen: ${text}\n${out}\n${err}`);
      await sleep(10);
    }
  };
  const write = (pod: string, from: number, to: number) => {
    for (let i = from; i < to; i++) kubelet.write(pod, `line ${i}`);
  };
  while (!kubelet.isFollowed('cilium-n2')) await sleep(10);
  write('cilium-n2', 0, 100);
  await see('line 99');
  await server.kill();
  write('cilium-n2', 100, 200);
  await server.start();
  await see('line 199');
  await server.call('DELETE', '/api/v1/namespaces/kube-system/pods/cilium-n2?gracePeriodSeconds=0');
  await addPod(server, { name: 'cilium-next', node: 'n2', ...AGENT });
  write('cilium-next', 200, 300);
  await see('line 299');
  stop.abort(new DOMException('enough', 'AbortError'));
  const { stdout, stderr, code } = await done;
  const kept = stdout.split('\n').filter((line) => line.startsWith('line '));
  expect(kept).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i}`));
  expect(stderr).toContain('n2: its log broke off (');
  expect(stderr).toContain('n2: its log goes on where it was\n');
  expect(stderr).toContain('n2: pod cilium-next is there; its log is followed from its beginning\n');
  expect(code).toBe(0);
});
