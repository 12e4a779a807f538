import { once } from 'node:events';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { encode } from '../../../src/hubble/protobuf/codec.ts';
import { serveGrpc } from '../../helpers/grpc.ts';
import { type RelayCluster, serveRelayCluster } from '../../helpers/relay-cluster.ts';
import { type RunOptions, type RunResult, run } from '../../helpers/run.ts';

const portOf = ({ address }: { address: string }) => Number(address.split(':')[1]);
const relayThat = (version: string) =>
  serveGrpc(
    {
      '/grpc.health.v1.Health/Check': {
        messages: [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })],
      },
      '/observer.Observer/ServerStatus': {
        messages: [encode('observer.ServerStatusResponse', { num_flows: '7', max_flows: '9', version })],
      },
    },
    { tcp: true },
  );

/** Runs it in the background; `line` resolves with what it printed that has a text in it. */
function begin(cluster: RelayCluster, words: string[] = ['--port-forward', '0']) {
  const stop = new AbortController();
  let printed = '';
  const waiting = new Set<() => void>();
  const see = (text: string) => {
    printed += text;
    for (const check of waiting) check();
  };
  const options: RunOptions = {
    signal: stop.signal,
    onStdout: see,
    onStderr: see,
    env: { KUBECONFIG: cluster.kubeconfig },
  };
  const done: Promise<RunResult> = run(['hubble', 'port-forward', ...words], options);
  const line = (text: string) =>
    new Promise<string>((resolve) => {
      const check = () => {
        const found = printed.split('\n').find((one) => one.includes(text));
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return {
    line,
    port: async () => Number((await line('available')).split(':').at(-1)),
    end: () => {
      stop.abort();
      return done;
    },
  };
}

const statusAt = async (port: number) =>
  (await run(['hubble', 'status', '-o', 'json', '--server', `127.0.0.1:${port}`])).stdout;

test('it says where the relay is to be reached, forwards until it is stopped, and follows the relay', async () => {
  await using first = await relayThat('first');
  await using second = await relayThat('second');
  await using cluster = await serveRelayCluster({ 'relay-1': portOf(first) });
  const forward = begin(cluster);
  const port = await forward.port();
  expect(await statusAt(port)).toContain('first');
  const held: Socket = connect(port, '127.0.0.1');
  await once(held, 'data');
  const ended = once(held, 'close');
  cluster.pods = { 'relay-2': portOf(second) };
  cluster.breakForwards();
  await ended;
  expect(await forward.line('Hubble Relay is reached')).toBe(
    'Hubble Relay is reached in pod kube-system/relay-2.',
  );
  expect(await statusAt(port)).toContain('second');
  const { stdout, stderr, code } = await forward.end();
  expect(stdout).toBe(`ℹ️  Hubble Relay is available at 127.0.0.1:${port}\n`);
  expect(stderr).toBe(
    'The connection to pod kube-system/relay-1 ended.\nHubble Relay is reached in pod kube-system/relay-2.\n',
  );
  expect(code).toBe(0);
});

test('a connection waits for a relay that is away for a moment', async () => {
  await using relay = await relayThat('back');
  await using cluster = await serveRelayCluster({ 'relay-1': portOf(relay) });
  const forward = begin(cluster);
  const port = await forward.port();
  cluster.pods = {};
  const asked = statusAt(port);
  setTimeout(() => {
    cluster.pods = { 'relay-2': portOf(relay) };
  }, 200);
  expect(await asked).toContain('back');
  await forward.end();
});

test('it survives that the API server is killed and started again', async () => {
  await using relay = await relayThat('same');
  const first = await serveRelayCluster({ r: portOf(relay) });
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'kube-')), 'config');
  copyFileSync(first.kubeconfig, kubeconfig);
  const forward = begin({ ...first, kubeconfig });
  const port = await forward.port();
  const held = connect(port, '127.0.0.1');
  await once(held, 'data');
  await first[Symbol.asyncDispose]();
  await forward.line('The connection to pod kube-system/r ended');
  await using _ = await serveRelayCluster({ r: portOf(relay) }, { port: Number(new URL(first.url).port) });
  await forward.line('Hubble Relay is reached in pod kube-system/r.');
  expect(await statusAt(port)).toContain('same');
  expect((await forward.end()).code).toBe(0);
});

// differs: hubble-port-forward-verb
test('no more than the loopback listens, and nothing is left behind', async () => {
  await using relay = await relayThat('x');
  await using cluster = await serveRelayCluster({ r: portOf(relay) });
  const forward = begin(cluster);
  const port = await forward.port();
  const taken = await run(['hubble', 'port-forward', '--port-forward', String(port)], {
    env: { KUBECONFIG: cluster.kubeconfig },
  });
  expect(taken.stderr).toContain(
    `Error: Unable to port forward: failed to port forward: listen on 127.0.0.1:${port}: address already in use\n`,
  );
  await forward.end();
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});

describe('errors', () => {
  test.each<[string, RelayCluster['pods'], RegExp | undefined, string[], string]>([
    [
      'no relay',
      {},
      undefined,
      [],
      'Error: Unable to port forward: failed to port forward: failed to get service "hubble-relay": services "hubble-relay" not found\n',
    ],
    ['elsewhere', { r: 1 }, undefined, ['-n', 'other'], 'not installed in the namespace other'],
    [
      'forbidden',
      { r: 1 },
      /services/,
      [],
      'User "jane" cannot get resource "services" in API group "" in the namespace "kube-system"',
    ],
    ['unknown context', { r: 1 }, undefined, ['--context', 'no'], 'the kubeconfig has no context "no"'],
    ['an agent', { r: 1 }, undefined, ['--host', 'unix:///x'], '--host names an agent'],
    [
      'a port that is none',
      { r: 1 },
      undefined,
      ['--port-forward', '70000'],
      'expected a number from 0 to 65535',
    ],
  ])('%s', async (_, pods, forbidden, flags, message) => {
    await using cluster = await serveRelayCluster(pods);
    cluster.forbidden = forbidden;
    const env = { KUBECONFIG: cluster.kubeconfig };
    const { stdout, stderr, code } = await run(['hubble', 'port-forward', ...flags], { env });
    expect(stderr).toContain(message);
    expect([stdout.includes('available'), code]).toEqual([false, 1]);
  });
});
