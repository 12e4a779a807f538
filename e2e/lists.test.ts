import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';

const CILIUM = '/apis/cilium.io/v2';
let server: ApiServer;
const as = (user: string, ...argv: string[]) =>
  run(argv, { env: { KUBECONFIG: server.kubeconfig(user), CILIUM_TARGET: 'cluster' } });

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => server[Symbol.asyncDispose]());

test('without the definition of a kind that is said', async () => {
  const { stdout, stderr, code } = await as('admin', 'endpoint', 'list', '-A');
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain('the cluster has no ciliumendpoints (cilium.io/v2)\n');
});

describe('with the definitions', () => {
  const endpoint = (namespace: string, name: string, id: number, state: string) => ({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumEndpoint',
    metadata: { name, namespace, labels: { app: name } },
    status: { identity: { id }, state, networking: { addressing: [{ ipv4: '10.0.0.1' }], node: '10.1.1.1' } },
  });
  beforeAll(async () => {
    for (const plural of ['ciliumendpoints', 'ciliumidentities']) await addDefinition(server, plural);
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
    for (const one of [
      endpoint('default', 'a', 1001, 'ready'),
      endpoint('shop', 'web-0', 1002, 'waiting-for-identity'),
    ])
      expect(
        (await server.call('POST', `${CILIUM}/namespaces/${one.metadata.namespace}/ciliumendpoints`, one))
          .status,
      ).toBe(201);
    for (const id of ['1001', '1002', '1003'])
      await server.call('POST', `${CILIUM}/ciliumidentities`, {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumIdentity',
        metadata: { name: id, labels: { 'io.kubernetes.pod.namespace': 'shop' } },
        'security-labels': { 'k8s:app': id },
      });
  });

  const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0 ? test : test.skip;
  kubectl.each([
    [['-A']],
    [['-A', '-o', 'wide']],
    [[]],
    [['-n', 'shop']],
    [['-A', '-l', 'app=a']],
    [['-A', '-o', 'name']],
    [['-A', '-o', 'custom-columns=NAME:.metadata.name,ID:.status.identity.id,NO:.status.no']],
    [['-n', 'nowhere']],
  ])('endpoint list %j prints what kubectl prints (skipped without it)', async (flags) => {
    const { stdout, stderr, code } = await as('admin', 'endpoint', 'list', ...flags);
    const theirs = spawnSync('kubectl', ['get', 'ciliumendpoints', ...flags], {
      env: { PATH: process.env.PATH, HOME: tmpdir(), KUBECONFIG: server.kubeconfig('admin') },
      encoding: 'utf8',
    });
    // Ages move on.
    expect([stdout, code]).toEqual([theirs.stdout, theirs.status]);
    expect(stderr).toBe(theirs.stderr.replace(/\.\n$/, '\n'));
  });

  test('identities that no endpoint has', async () => {
    const { stdout } = await as('admin', 'identity', 'list', '--unused', '-o', 'name');
    expect(stdout).toBe('ciliumidentity.cilium.io/1003\n');
  });

  test('a watched list goes on when the API server is killed and started again', async () => {
    const stop = new AbortController();
    let [out, err] = ['', ''];
    const argv = ['endpoint', 'list', '-A', '--watch', '--interval', '100ms'];
    const done = run(argv, {
      env: { KUBECONFIG: server.kubeconfig('admin'), CILIUM_TARGET: 'cluster' },
      signal: stop.signal,
      onStdout: (text) => {
        out += text;
      },
      onStderr: (text) => {
        err += text;
      },
    });
    const see = async (seen: () => boolean) => {
      for (let tries = 0; !seen(); tries++) {
        if (tries > 2000) throw new Error(`never seen:\n${out}\n${err}`);
        await sleep(20);
      }
    };
    await see(() => out.includes('web-0'));
    await server.kill();
    await see(() => err.includes('Still watching'));
    await server.start();
    const late = endpoint('shop', 'late', 1004, 'ready');
    await server.call('POST', `${CILIUM}/namespaces/shop/ciliumendpoints`, late);
    await see(() => out.includes('late'));
    stop.abort(new DOMException('enough', 'AbortError'));
    expect((await done).code).toBe(0);
    expect(out.match(/^\+ .*late/gm)).toHaveLength(1);
    expect(out.match(/web-0/g)).toHaveLength(1);
    expect(err.match(/Still watching/g)).toHaveLength(1);
    expect(err.match(/The API server answers again/g)).toHaveLength(1);
    await server.call('DELETE', `${CILIUM}/namespaces/shop/ciliumendpoints/late`);
  });

  test('who may not list is told what is missing', async () => {
    const { stdout, stderr, code } = await as('viewer', 'endpoint', 'list', '-A');
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(
      'User "viewer" cannot list resource "ciliumendpoints" in API group "cilium.io" at the cluster scope',
    );
  });
});
