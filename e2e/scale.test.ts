// A cluster of 500 nodes, 5,000 pods and 1,000 policies. It takes minutes: `E2E_SCALE=1 npm run e2e -- scale`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bounded } from '../src/lib/bounded.ts';
import { goYaml } from '../src/render/text/yaml.ts';
import { startTestLab, type TestLab } from '../test/helpers/lab.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';
import { allRun, type Kwok, startKwok } from './kwok.ts';

const NODES = 500;
const PODS = 5000;
const POLICIES = 1000;
const HANGING = 20;
const MAX_MB = 250;
const MINUTES = 60_000;

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const nodeOf = (i: number) => `node-${String(i % NODES).padStart(3, '0')}`;
const agentOf = (i: number) => `cilium-${nodeOf(i)}`;
/** Spread over the cluster. */
const hanging = range(HANGING).map((i) => agentOf(i * (NODES / HANGING) + 3));

/** A pod of the size that pods have. */
function pod(namespace: string, name: string, node: string, container: string, labels: object): object {
  return {
    metadata: {
      name,
      namespace,
      labels,
      annotations: { 'example.com/checksum': 'c'.repeat(64), 'example.com/notes': 'n'.repeat(600) },
    },
    spec: {
      nodeName: node,
      hostNetwork: container === 'cilium-agent',
      containers: [
        {
          name: container,
          image: `registry.example.com/${container}:v1.20.0`,
          env: range(30).map((i) => ({ name: `VARIABLE_${i}`, value: 'v'.repeat(40) })),
          volumeMounts: range(8).map((i) => ({ name: `volume-${i}`, mountPath: `/var/lib/volume-${i}` })),
        },
      ],
      volumes: range(8).map((i) => ({ name: `volume-${i}`, emptyDir: {} })),
    },
  };
}

const endpoint = (name: string, i: number) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumEndpoint',
  metadata: { name, namespace: 'shop', labels: { app: `app-${i % 50}` } },
  status: {
    id: i % 65_000,
    identity: { id: 1000 + (i % 50), labels: range(12).map((n) => `k8s:label-${n}=${'v'.repeat(20)}`) },
    state: 'ready',
    networking: { addressing: [{ ipv4: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }], node: '10.1.1.1' },
    'named-ports': range(4).map((n) => ({ name: `port-${n}`, port: 8000 + n, protocol: 'TCP' })),
  },
});

const policy = (i: number) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: `policy-${i}`, namespace: 'shop' },
  spec: {
    endpointSelector: { matchLabels: { app: `app-${i % 50}` } },
    ingress: range(5).map((n) => ({
      fromEndpoints: [{ matchLabels: { app: `client-${n}`, tier: 'front' } }],
      toPorts: [{ ports: range(4).map((p) => ({ port: String(8000 + p), protocol: 'TCP' })) }],
    })),
  },
});

let server: ApiServer;
let lab: TestLab;
let kwok: Kwok;
const folder = mkdtempSync(join(tmpdir(), 'scale-'));

/** What a run of the built program left behind. */
interface Measured {
  stdout: string;
  stderr: string;
  code: number;
  seconds: number;
  /** The most memory that it had, in MB. */
  peakMb: number;
}

/** Runs the program as it is built; `script` gives it a terminal of its own. */
async function measure(argv: readonly string[], { terminal = false } = {}): Promise<Measured> {
  const bundle = join(import.meta.dirname, '../bin/cilium');
  const report = join(folder, `time-${Math.random().toString(36).slice(2)}`);
  const timed = ['/usr/bin/time', '-v', '-o', report, bundle, ...argv];
  const [program = '', ...words] = terminal
    ? ['script', '-qec', timed.map((word) => `'${word}'`).join(' '), '/dev/null']
    : timed;
  const began = performance.now();
  const child = spawn(program, words, {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      KUBECONFIG: server.kubeconfig('admin'),
      CILIUM_TARGET: 'cluster',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  const seconds = (performance.now() - began) / 1000;
  const told = readFileSync(report, 'utf8');
  const peakMb = Number(/Maximum resident set size \(kbytes\): (\d+)/.exec(told)?.[1]) / 1024;
  process.stdout.write(
    `cilium ${argv.join(' ')}${terminal ? ' (terminal)' : ''}: ${peakMb.toFixed(0)} MB, ${seconds.toFixed(1)} s, exit ${code}\n`,
  );
  return { stdout, stderr, code, seconds, peakMb };
}

async function create(path: string, objects: readonly object[]): Promise<void> {
  const made = bounded(objects, 16, async (object) => {
    const { status, body } = await server.call('POST', path, object);
    if (status !== 201) throw new Error(`${path}: ${status} ${body}`);
  });
  await Promise.all(made);
}

const atScale = process.env.E2E_SCALE ? describe : describe.skip;

atScale('a cluster of 500 nodes, 5,000 pods and 1,000 policies', () => {
  beforeAll(async () => {
    [server, lab] = await Promise.all([startApiServer(), startTestLab({ scenario: 'shop' })]);
    kwok = await startKwok(server, { lab, hanging });
    for (const plural of ['ciliumendpoints', 'ciliumidentities', 'ciliumnetworkpolicies'])
      await addDefinition(server, plural);
    await create('/api/v1/namespaces', [{ metadata: { name: 'shop' } }]);
    await create(
      '/api/v1/nodes',
      range(NODES).map((i) => ({ metadata: { name: nodeOf(i) } })),
    );
    const labels = { 'k8s-app': 'cilium' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'cilium-agent', image: 'x' }] } };
    await create('/apis/apps/v1/namespaces/kube-system/daemonsets', [
      { metadata: { name: 'cilium', labels }, spec: { selector: { matchLabels: labels }, template } },
    ]);
    // Nobody runs controllers here.
    const count = { desiredNumberScheduled: NODES, currentNumberScheduled: NODES, numberReady: NODES };
    await server.call(
      'PATCH',
      '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium/status',
      { status: { ...count, observedGeneration: 1, updatedNumberScheduled: NODES, numberAvailable: NODES } },
      'application/merge-patch+json',
    );
    await create('/api/v1/namespaces/kube-system/configmaps', [
      { metadata: { name: 'cilium-config' }, data: {} },
    ]);
    await create(
      '/api/v1/namespaces/kube-system/pods',
      range(NODES).map((i) => pod('kube-system', agentOf(i), nodeOf(i), 'cilium-agent', labels)),
    );
    await create(
      '/api/v1/namespaces/shop/pods',
      range(PODS).map((i) => pod('shop', `web-${i}`, nodeOf(i), 'web', { app: `app-${i % 50}` })),
    );
    await create(
      '/apis/cilium.io/v2/namespaces/shop/ciliumendpoints',
      range(PODS).map((i) => endpoint(`web-${i}`, i)),
    );
    await allRun(server);
  }, 10 * MINUTES);
  afterAll(async () => {
    await kwok[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    'status ends in time although 20 agents hang, with the answers of 480, and a terminal shows how far it is',
    async () => {
      const { stdout, seconds, peakMb, code } = await measure(['status'], { terminal: true });
      expect(stdout).toMatch(/\d+ of 500 agents asked/);
      expect(stdout.match(/unable to retrieve cilium status: no answer within 10 s/g)).toHaveLength(HANGING);
      expect(stdout).toContain('5000/5000 managed by Cilium');
      expect(stdout).toMatch(/Cilium: .*20 errors/);
      expect(code).toBe(1);
      // The default of --wait-duration.
      expect(seconds).toBeLessThan(300);
      expect(peakMb).toBeLessThan(MAX_MB);
    },
    6 * MINUTES,
  );

  test(
    'status -o json has 480 answers',
    async () => {
      const { stdout, stderr, peakMb } = await measure(['status', '-o', 'json']);
      expect(stderr).toBe('');
      const { cilium_status } = JSON.parse(stdout) as { cilium_status: Record<string, unknown> };
      expect(Object.values(cilium_status).filter((one) => one !== null)).toHaveLength(NODES - HANGING);
      expect(peakMb).toBeLessThan(MAX_MB);
    },
    5 * MINUTES,
  );

  test('endpoint list -A shows a terminal how far it is', async () => {
    const { stdout, peakMb } = await measure(['endpoint', 'list', '-A'], { terminal: true });
    expect(stdout).toMatch(/\d+ of 5000 ciliumendpoints read/);
    expect(peakMb).toBeLessThan(MAX_MB);
  });

  test.each([['table'], ['wide'], ['name'], ['json'], ['yaml'], ['jsonpath={.items[*].metadata.name}']])(
    'endpoint list -A as %s',
    async (format) => {
      const { stdout, stderr, peakMb, code } = await measure([
        ...['endpoint', 'list', '-A'],
        ...(format === 'table' ? [] : ['-o', format]),
      ]);
      expect([stderr, code]).toEqual(['', 0]);
      expect(new Set(stdout.match(/\bweb-\d+/g)).size).toBe(PODS);
      expect(peakMb).toBeLessThan(MAX_MB);
    },
    5 * MINUTES,
  );

  test(
    'policy import',
    async () => {
      const file = join(folder, 'policies.yaml');
      writeFileSync(
        file,
        range(POLICIES)
          .map((i) => goYaml(policy(i)))
          .join('---\n'),
      );
      const argv = ['policy', 'import', '--via', 'kubernetes', file];
      const { stdout, stderr, peakMb, code } = await measure(argv);
      expect([stdout.trim().split('\n').length, stderr, code]).toEqual([POLICIES, '', 0]);
      expect(peakMb).toBeLessThan(MAX_MB);
      const again = await measure([...argv, '--dry-run'], { terminal: true });
      expect(again.stdout).toMatch(/\d+ of 1000 objects checked/);
    },
    8 * MINUTES,
  );

  test(
    'endpoint list --all-nodes',
    async () => {
      const { stdout, stderr, peakMb, code } = await measure(['endpoint', 'list', '--all-nodes']);
      expect(new Set(stdout.match(/^node-\d+/gm)).size).toBe(NODES - HANGING);
      expect(stderr).toContain('20 of 500 nodes failed');
      expect(code).toBe(3);
      expect(peakMb).toBeLessThan(MAX_MB);
    },
    5 * MINUTES,
  );
});
