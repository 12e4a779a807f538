import { rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { unmanagedPods } from '../../../src/cluster/unmanaged.ts';
import { RELAY } from '../../../src/kube/hubble-relay.ts';
import { dialWithin } from '../../../src/kube/relay.ts';
import { findServicePod } from '../../../src/kube/service-road.ts';
import { printedList } from '../../../src/kube/tables.ts';
import { readRecentLog } from '../../../src/kube/workloads.ts';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { answerJson, kubeClient, serveKube } from '../../helpers/kube.ts';

const CONFIG = '/api/v1/namespaces/kube-system/configmaps/cilium-config';

describe('status of a cluster that cannot be seen as a whole', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 2 });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: cluster-status-uncounted
  test('does not count pods whose endpoints the API does not have', async () => {
    await cluster.call('PATCH', CONFIG, { data: { 'disable-endpoint-crd': 'true' } });
    const text = await cluster.run(['status', '--unmanaged']);
    expect(text.stdout).toMatch(/^Cluster Pods: +not counted$/m);
    expect(text.stdout).not.toContain('are managed by Cilium.');
    expect(text.stderr).toContain('Which pods Cilium manages is not known');
    const json = JSON.parse((await cluster.run(['status', '-o', 'json'])).stdout);
    expect(json.pods_count).toBeUndefined();
    await cluster.call('PATCH', CONFIG, { data: { 'disable-endpoint-crd': null } });
    expect((await cluster.run(['status'])).stdout).toMatch(/^Cluster Pods: +\d+\/\d+ managed/m);
  });

  test('an agent whose answer is not understood is one error, and the other is shown', async () => {
    const { agent: path } = cluster.lab.info.sockets;
    let server: Server | undefined;
    try {
      rmSync(path);
      server = createServer((_, response) => answerJson(response, { cilium: { state: 5 } }));
      await new Promise<void>((resolve) => server?.listen(path, resolve));
      const { stdout, stderr, code } = await cluster.run(['status']);
      expect(stdout).toMatch(/^Errors: +cilium +\S+ +unable to retrieve cilium status: .*cilium\.state/m);
      expect(stdout).toMatch(/^Cluster Pods: /m);
      expect([stderr, code]).toEqual(['', 1]);
    } finally {
      server?.closeAllConnections();
      server?.close();
    }
  });
});

/** What is said of an API server that answers so. */
async function toldOf(
  handler: RequestListener,
  ask: (client: Awaited<ReturnType<typeof kubeClient>>) => Promise<unknown>,
): Promise<string> {
  await using server = await serveKube(handler);
  await using client = await kubeClient(server, { timeoutMs: 300 });
  return await ask(client).then(String, (error: Error) => `${error.name}: ${error.message}`);
}

describe('an API server that does not do as Kubernetes does', () => {
  test('a log that begins and stays silent ends', async () => {
    const told = await toldOf(
      (_, response) => void response.writeHead(200).write('2026-11-29T00:00:00Z first\n'),
      (client) =>
        readRecentLog(
          client,
          { namespace: 'kube-system', name: 'cilium-x' },
          { container: 'cilium-agent', sinceTime: '2026-11-29T00:00:00Z', previous: false },
        ),
    );
    expect(told).toContain('KubeLate');
    expect(told).toContain('no answer within 0.3 s');
  });

  test('a kubelet that never answers holds up no longer than its caller waits', async () => {
    const hung: Socket[] = [];
    await using server = await serveKube((_, response) => void response.end());
    const silent = createServer().on('upgrade', (_, socket) => void hung.push(socket as Socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    await using client = await kubeClient(server);
    client.config.clusters = client.config.clusters.map((one) => ({
      ...one,
      server: `http://127.0.0.1:${port}`,
    }));
    const container = { namespace: 'kube-system', pod: 'cilium-x', container: 'cilium-agent' };
    const beganMs = performance.now();
    await expect(dialWithin(client, container, '/x.sock', AbortSignal.timeout(200))).rejects.toThrow(
      'timeout',
    );
    expect(performance.now() - beganMs).toBeLessThan(20_000);
    for (const socket of hung) socket.destroy();
    silent.close();
  });

  const kind = { apiVersion: 'cilium.io/v2', plural: 'ciliumnodes', kind: 'CiliumNode', namespaced: false };
  test.each<[string, object, string]>([
    ['the same page for ever', { metadata: { continue: 'x' }, rows: [] }, 'the same page again and again'],
    ['rows that are none', { rows: 5 }, 'not as Kubernetes gives it: rows should be a list'],
    [
      'columns that are none',
      { columnDefinitions: [{ name: 5 }] },
      'columnDefinitions[0].name should be a text',
    ],
  ])('a table with %s', async (_, table, message) => {
    const told = await toldOf(
      (_, response) => answerJson(response, { kind: 'Table', ...table }),
      (client) => printedList(client, kind, undefined, {}),
    );
    expect(told).toContain(`UserError: `);
    expect(told).toContain(message);
  });

  test('a service whose ports are none', async () => {
    const told = await toldOf(
      (_, response) => answerJson(response, { spec: { ports: 5, selector: { a: 'b' } } }),
      (client) => findServicePod(client, 'kube-system', RELAY),
    );
    expect(told).toContain('UserError: ');
    expect(told).toContain('spec.ports');
  });
});

test('without the agents, it is not said that a node has none', () => {
  const pod = { name: 'default/a', node: 'n1', phase: 'Running', startTime: '' };
  expect(unmanagedPods([pod], new Set(), undefined)).toEqual([
    { name: 'default/a', node: 'n1', reason: 'it has no CiliumEndpoint; the agents could not be listed' },
  ]);
});
