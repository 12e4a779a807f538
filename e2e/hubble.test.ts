import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { type RunOptions, run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addNode, addPod, grant, type Kubelet, startKubelet } from './kubelet.ts';

const SERVICES = '/api/v1/namespaces/kube-system/services';
const RELAY = { labels: { 'k8s-app': 'hubble-relay' }, container: 'hubble-relay' };

let server: ApiServer;
let kubelet: Kubelet;
let lab: TestLab;
const as = (user: string, argv: readonly string[], options: RunOptions = {}) =>
  run(argv, { ...options, env: { KUBECONFIG: server.kubeconfig(user) } });

beforeAll(async () => {
  [server, kubelet, lab] = await Promise.all([
    startApiServer(),
    startKubelet(),
    startTestLab({ scenario: 'shop' }),
  ]);
  kubelet.target = () => lab.lab.info.sockets.hubble;
  await addNode(server, 'n1', kubelet);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await kubelet[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

describe('before the relay is there', () => {
  test.each([
    ['hubble', 'status', '-P'],
    ['hubble', 'port-forward'],
  ])('%s %s says what is missing', async (...argv) => {
    const none = await as('admin', argv);
    expect(none.stderr).toContain(
      'failed to get service "hubble-relay": services "hubble-relay" not found\nHubble Relay is not installed',
    );
    const viewer = await as('viewer', argv);
    expect(viewer.stderr).toContain(
      'services "hubble-relay" is forbidden: User "viewer" cannot get resource "services" in API group "" in the namespace "kube-system"',
    );
    const unknown = await as('nobody', argv);
    expect(unknown.stderr).toContain('The credentials are not accepted');
    const context = argv[1] === 'port-forward' ? '--context' : '--kube-context';
    expect((await as('admin', [...argv, context, 'no'])).stderr).toContain(
      'the kubeconfig has no context "no"',
    );
    expect([none.code, viewer.code, unknown.code]).toEqual([1, 1, 1]);
  });
});

describe('with a relay', () => {
  beforeAll(async () => {
    const spec = { selector: RELAY.labels, ports: [{ port: 80, targetPort: 'grpc' }] };
    await server.call('POST', SERVICES, { metadata: { name: 'hubble-relay' }, spec });
  });

  test('it is told that no pod is there, and what a user may not', async () => {
    expect((await as('admin', ['hubble', 'status', '-P'])).stderr).toContain(
      'no pods found for service: hubble-relay',
    );
    await addPod(server, { name: 'relay-1', node: 'n1', ...RELAY });
    await grant(server, [
      { apiGroups: [''], resources: ['services'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ]);
    const { stderr, code } = await as('viewer', ['hubble', 'status', '-P']);
    expect(stderr).toMatch(
      /User "viewer" cannot (?:get|create) resource "pods\/portforward" in API group "" in the namespace "kube-system"/,
    );
    expect(code).toBe(1);
  });

  test('it answers through the API server', async () => {
    const { stdout, stderr, code } = await as('admin', ['hubble', 'status', '-P']);
    expect(stdout).toMatch(/^Healthcheck \(via localhost:4245\): Ok\n/);
    expect([stderr, code]).toEqual(['', 0]);
  });

  test('a forwarded port goes on when the API server is killed, and what a client of it has seen neither misses nor doubles', async () => {
    const stop = new AbortController();
    let out = '';
    let err = '';
    const forward = as('admin', ['hubble', 'port-forward', '--port-forward', '0'], {
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
        if (tries > 3000) throw new Error(`never seen:\n${out}\n${err}`);
        await sleep(20);
      }
    };
    await see(() => out.includes('available at'));
    const address = /127\.0\.0\.1:\d+/.exec(out)?.[0] ?? '';
    const seen: string[] = [];
    const told = new AbortController();
    const follow = run(['hubble', 'observe', '-f', '-o', 'json', '--server', address], {
      signal: told.signal,
      onStdout: (text) => seen.push(text),
    });
    const count = () => seen.join('').split('\n').length;
    await see(() => count() > 50);
    await server.kill();
    await see(() => err.includes('The connection to pod'));
    await server.start();
    const before = count();
    await see(() => count() > before + 50);
    told.abort(new DOMException('enough', 'AbortError'));
    const { stderr } = await follow;
    stop.abort(new DOMException('enough', 'AbortError'));
    expect((await forward).code).toBe(0);
    const uuids = seen
      .join('')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { flow: { uuid: string } }).flow.uuid);
    expect(new Set(uuids).size).toBe(uuids.length);
    expect(stderr).toContain('nothing is missing');
    expect(err).toMatch(/The connection to pod .* ended.*\n(?:.*\n)*Hubble Relay is reached in pod /);
  });

  test('a followed stream loses and doubles nothing when the API server is killed and the relay replaced', async () => {
    const stop = new AbortController();
    let count = 0;
    const argv = ['hubble', 'observe', '-P', '-f', '-o', 'json'];
    const done = as('admin', argv, {
      signal: stop.signal,
      onStdout: (text) => {
        count += text.split('\n').length - 1;
      },
    });
    const more = async (lines: number) => {
      for (const until = count + lines; count < until; ) await sleep(20);
    };
    await more(50);
    await server.kill();
    await server.start();
    await more(100);
    await addPod(server, { name: 'relay-2', node: 'n1', ...RELAY });
    await server.call('DELETE', '/api/v1/namespaces/kube-system/pods/relay-1?gracePeriodSeconds=0');
    kubelet.cut();
    await more(100);
    stop.abort(new DOMException('enough', 'AbortError'));
    const { stdout, stderr } = await done;
    const flowOf = (line: string) => (JSON.parse(line) as { flow: { uuid: string; time: string } }).flow;
    const lines = (text: string) => text.trim().split('\n').map(flowOf);
    const got = lines(stdout);
    const times = got.map(({ time }) => Date.parse(time));
    const all = await run([
      'hubble',
      'observe',
      '--all',
      '-o',
      'json',
      '--server',
      `unix://${lab.lab.info.sockets.hubble}`,
    ]);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const meant = lines(all.stdout).filter(({ time }) => Date.parse(time) > first && Date.parse(time) < last);
    const uuids = got.map(({ uuid }) => uuid);
    expect(new Set(uuids).size).toBe(uuids.length);
    expect(meant.filter(({ uuid }) => !uuids.includes(uuid))).toEqual([]);
    expect(meant.length).toBeGreaterThan(200);
    expect(stderr.match(/nothing is missing/g)).toHaveLength(2);
  });
});
