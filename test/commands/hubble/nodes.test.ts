import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answerJson, type KubeServer, serveKube } from '../../helpers/kube.ts';
import { spawning } from '../../helpers/kubelet.ts';
import { startTestLab, type TestLab } from '../../helpers/lab.ts';
import { type RunOptions, run } from '../../helpers/run.ts';

const agent = (node: string, state: object) => ({
  metadata: { name: `cilium-${node}`, namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
  spec: { nodeName: node },
  status: { phase: 'Running', containerStatuses: [{ name: 'cilium-agent', state }] },
});
const AGENTS = [
  agent('n1', { running: {} }),
  agent('n2', { running: {} }),
  agent('n3', { waiting: { reason: 'CrashLoopBackOff' } }),
];

/** Three nodes; the agent of the third does not run. */
function cluster(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
  const wanted = searchParams.get('labelSelector');
  const node = /^spec\.nodeName=(.*)$/.exec(searchParams.get('fieldSelector') ?? '')?.[1];
  const nodes = wanted === 'zone=a' ? ['n1', 'n2'] : ['n1', 'n2', 'n3'];
  answerJson(response, {
    items:
      pathname === '/api/v1/nodes'
        ? nodes.map((name) => ({ metadata: { name } }))
        : AGENTS.filter(({ spec }) => node === undefined || spec.nodeName === node),
  });
}

let lab: TestLab;
let kube: KubeServer;
beforeAll(async () => {
  lab = await startTestLab({ scenario: 'shop' });
  const { hubble } = lab.lab.info.sockets;
  kube = await serveKube(
    cluster,
    spawning((word) => (word === '/var/run/cilium/hubble.sock' ? hubble : word)),
  );
});
afterAll(async () => {
  await kube[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** Flows of half a second, which stay the same while the lab goes on. */
const window = () => {
  const nowMs = Date.now();
  const at = (ms: number) => new Date(ms).toISOString();
  return ['--since', at(nowMs - 2500), '--until', at(nowMs - 2000)];
};

const ask = (words: string[], options: RunOptions = {}) =>
  run(words, { ...options, env: { KUBECONFIG: kube.kubeconfig, ...options.env } });

describe('the agent of a node, without a relay', () => {
  test.each([
    [['hubble', 'observe', ...window()]],
    [['observe', '-o', 'json', ...window()]],
    [['hubble', 'observe', 'agent-events', ...window()]],
    [['hubble', 'list', 'namespaces']],
  ])('tells %j what it tells on its node', async (words) => {
    const here = await run([...words, '--server', `unix://${lab.lab.info.sockets.hubble}`]);
    expect(await ask([...words, '--node', 'n1'])).toEqual(here);
    expect(here.code).toBe(0);
  });

  test('names its socket in status', async () => {
    const { stdout, code } = await ask([
      'hubble',
      'status',
      '--node',
      'n1',
      '--kube-namespace',
      'kube-system',
    ]);
    expect(stdout).toContain('Healthcheck (via unix:///var/run/cilium/hubble.sock): Ok\n');
    expect(code).toBe(0);
  });

  test('is asked whatever the settings say of a server', async () => {
    const env = {
      HUBBLE_PORT_FORWARD: 'true',
      HUBBLE_SERVER: 'tls://nowhere:1',
      HUBBLE_TLS_CLIENT_CERT_FILE: 'x',
    };
    expect((await ask(['hubble', 'list', 'namespaces', '--node', 'n1'], { env })).code).toBe(0);
  });

  test('--node-name stays a filter', async () => {
    const { stdout } = await ask(['hubble', 'observe', '--last', '5', '--node-name', 'none', '--node', 'n1']);
    expect(stdout).toBe('');
  });

  test('may serve no Hubble', async () => {
    await using old = await serveKube(cluster, spawning());
    const { stderr, code } = await run(['hubble', 'observe', '--node', 'n1'], {
      env: { KUBECONFIG: old.kubeconfig },
    });
    expect(stderr).toContain(
      'dial unix /var/run/cilium/hubble.sock: connect: no such file or directory"\nIs the agent running on this node, with Hubble enabled?\n',
    );
    expect(code).toBe(1);
  });

  test.each([
    [
      ['--node', 'n3'],
      'the agent kube-system/cilium-n3 of node n3 cannot be asked: the container waits: CrashLoopBackOff',
    ],
    [['--node', ''], '--node needs the name of a node'],
    [['--limit-nodes', ''], '--limit-nodes needs labels'],
    [['--concurrency', '3'], '--concurrency needs --all-nodes or --limit-nodes'],
    [['--node', 'n1', '-P'], '--node and --port-forward cannot be used together'],
    [['--all-nodes', '--server', 'x:1'], '--all-nodes and --server cannot be used together'],
    [['--node', 'n1', '--input-file', 'x'], '--node and --input-file cannot be used together'],
    [['--all-nodes', '--tui'], '--all-nodes and --tui cannot be used together'],
  ])('%j is told', async (flags, message) => {
    const { stderr, code } = await ask(['hubble', 'observe', ...flags]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

describe('all agents of a cluster', () => {
  test('print their flows behind the name of their node', async () => {
    const words = ['observe', ...window()];
    const one = (await ask([...words, '--node', 'n1'])).stdout.trimEnd().split('\n');
    const { stdout, stderr, code } = await ask([...words, '--all-nodes']);
    expect(stdout.trimEnd().split('\n')).toEqual(
      ['n1', 'n2'].flatMap((node) => one.map((line) => `${node}    ${line}`)),
    );
    expect(stderr).toBe('n3: the container waits: CrashLoopBackOff\n1 of 3 nodes failed\n');
    expect(code).toBe(3);
  });

  test('print records of JSON as they are: each names its node', async () => {
    const words = ['observe', ...window(), '-o', 'jsonpb'];
    const one = (await ask([...words, '--node', 'n1'])).stdout;
    const { stdout, code } = await ask([...words, '--limit-nodes', 'zone=a']);
    expect(stdout).toBe(one + one);
    expect(code).toBe(0);
  });

  test('have their statuses in one list', async () => {
    const { stdout } = await ask(['hubble', 'status', '-o', 'json', '--limit-nodes', 'zone=a']);
    expect(JSON.parse(stdout)).toMatchObject([
      { node: 'n1', value: { max_flows: '4095' } },
      { node: 'n2', value: {} },
    ]);
  });

  test('send flows as they come, each node in its colour, and tell of those that cannot at once', async () => {
    const stop = new AbortController();
    let text = '';
    let told = '';
    const { code } = await ask(['observe', '-f', '--all-nodes'], {
      signal: stop.signal,
      columns: 200,
      onStderr: (part) => {
        told += part;
      },
      onStdout: (part) => {
        text += part;
        if (/n1 {4}/.test(text.replace(/\u001b\[\d+m/g, '')) && text.includes('n2') && told !== '')
          stop.abort(new DOMException('enough', 'AbortError'));
      },
    });
    expect(told).toContain('n3: the container waits: CrashLoopBackOff\n');
    const prefix = (node: string) =>
      new RegExp(`^\u001b\\[(\\d+)mn${node}  \u001b\\[39m  \\w+ `, 'm').exec(text)?.[1];
    expect(prefix('1')).toMatch(/^(3|9)\d$/);
    expect(prefix('2')).not.toBe(prefix('1'));
    expect(code).toBe(0);
  });

  test.each([
    ['record', ['record', '/tmp/none.jsonl']],
    ['export otlp', ['export', 'otlp']],
  ])('are not asked at once by %s', async (verb, words) => {
    const { stderr, code } = await ask(['hubble', ...words, '--all-nodes']);
    expect(stderr).toBe(
      `--all-nodes and ${verb} cannot be used together\nAsk the relay (--port-forward), or one node (--node).\n`,
    );
    expect(code).toBe(1);
  });
});
