import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { globalsOf, type Verb } from '../../../src/cli/tree.ts';
import { TREE } from '../../../src/commands/index.ts';
import { answerJson, type KubeServer, serveKube } from '../../helpers/kube.ts';
import { end, SUCCESS, say } from '../../helpers/kubelet.ts';
import { run } from '../../helpers/run.ts';

const agent = (name: string, node: string) => ({
  metadata: { name, namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
  spec: { nodeName: node },
  status: { phase: 'Running', containerStatuses: [{ name: 'cilium-agent', state: { running: {} } }] },
});

/** What ran in which pod, and what the program there answers. */
let ran: { pod: string; words: string[] }[] = [];
let programs: string[] = [];
let answer: { out: Buffer[]; err: string; code: number };

function objects(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://x');
  const node = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  const agents = [agent('cilium-1', 'n1'), agent('cilium-2', 'n2')];
  if (url.pathname === '/api/v1/nodes')
    answerJson(response, { items: ['n1', 'n2'].map((name) => ({ metadata: { name } })) });
  else
    answerJson(response, {
      items: agents.filter(({ spec }) => node === undefined || spec.nodeName === node),
    });
}

let server: KubeServer;
beforeAll(async () => {
  server = await serveKube(objects, (socket, url) => {
    const words = url.searchParams.getAll('command');
    const pod = url.pathname.split('/').at(-2) ?? '';
    if (!programs.includes(words[0] ?? ''))
      return end(socket, {
        status: 'Failure',
        message: `exec: "${words[0]}": executable file not found in $PATH`,
      });
    ran.push({ pod, words });
    for (const part of answer.out) say(socket, 1, part);
    if (answer.err !== '') say(socket, 2, answer.err);
    const failure = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(answer.code) }] },
    };
    end(socket, answer.code === 0 ? SUCCESS : failure);
  });
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(() => {
  ran = [];
  programs = ['cilium-dbg', 'cilium'];
  answer = { out: [Buffer.from('said\n')], err: '', code: 0 };
});

const bpf = (...argv: string[]) =>
  run(['bpf', ...argv], { env: { KUBECONFIG: server.kubeconfig }, uid: 1000 });

describe('a bpf verb of an agent elsewhere', () => {
  test.each<[string[], string[]]>([
    [
      ['ct', 'list', 'global', '--node', 'n1'],
      ['ct', 'list', 'global'],
    ],
    [
      ['ct', 'list', '--node=n1', '-d', 'global', '-o', 'json'],
      ['ct', 'list', '-d', 'global', '-o', 'json'],
    ],
    [
      ['--node', 'n1', 'lb', 'list', '--revnat', '--timeout', '5s'],
      ['lb', 'list', '--revnat'],
    ],
    [
      ['policy', 'get', '12', '-n', '--namespace', 'kube-system', '--node', 'n1', '-ojson'],
      ['policy', 'get', '12', '-n', '-ojson'],
    ],
    [
      ['ct', 'list', '--node', 'n1', '--', 'global'],
      ['ct', 'list', '--', 'global'],
    ],
    [
      ['ct', 'flush', 'global', '--node', 'n1'],
      ['ct', 'flush', 'global'],
    ],
  ])('%j runs %j there', async (argv, words) => {
    const { stdout, stderr, code } = await bpf(...argv);
    expect(ran).toEqual([{ pod: 'cilium-1', words: ['cilium-dbg', 'bpf', ...words] }]);
    expect([stdout, stderr, code]).toEqual(['said\n', '', 0]);
  });

  test('is run by the program of agents before 1.15 where the newer one is not there', async () => {
    programs = ['cilium'];
    expect((await bpf('ct', 'list', '--node', 'n2')).stdout).toBe('said\n');
    expect(ran).toEqual([{ pod: 'cilium-2', words: ['cilium', 'bpf', 'ct', 'list'] }]);
    programs = [];
    const { stderr, code } = await bpf('ct', 'list', '--node', 'n2');
    expect(stderr).toContain('exec of cilium in kube-system/cilium-2 (cilium-agent)');
    expect(code).toBe(1);
  });

  test('has the output and the exit code of that program, and steers no terminal', async () => {
    const text = Buffer.from('ü→\u001b[31m\n');
    answer = {
      out: [text.subarray(0, 1), text.subarray(1, 4), text.subarray(4)],
      err: 'no map\u001b]0;x\u0007\n',
      code: 3,
    };
    const { stdout, stderr, code } = await bpf('ct', 'list', '--node', 'n1');
    expect(stdout.startsWith('ü→')).toBe(true);
    expect(stderr).toContain('no map');
    expect([/[\u001b\u0007]/.test(stdout + stderr), code]).toEqual([false, 3]);
  });

  test('prints of all nodes what each says, behind its node, or values by node', async () => {
    answer.out = [Buffer.from('KEY  VALUE\na    1\n')];
    const all = await bpf('config', 'list', '--all-nodes');
    expect(all.stdout).toBe('NODE  KEY  VALUE\nn1    a    1\nn2    a    1\n');
    answer.out = [Buffer.from('[{"a":1}]')];
    for (const words of [['-o', 'json'], ['-Do', 'json'], ['-Dojson'], ['-ojson'], ['--output=json']]) {
      const json = JSON.parse((await bpf('config', 'list', '--all-nodes', ...words)).stdout);
      expect(json.map(({ node, value }: { node: string; value: unknown }) => [node, value])).toEqual([
        ['n1', [{ a: 1 }]],
        ['n2', [{ a: 1 }]],
      ]);
    }
  });

  test('keeps the messages of nodes apart', async () => {
    answer = { out: [Buffer.from('said')], err: 'no such map', code: 1 };
    const { stdout, stderr, code } = await bpf('ct', 'list', 'nonsense', '--all-nodes');
    expect(stdout).toBe('n1    said\nn2    said\n');
    expect(stderr).toBe('n1: no such map\nn2: no such map\n2 of 2 nodes failed\n');
    expect(code).toBe(1);
  });

  test('is offered in the help of verbs that have it there', async () => {
    expect((await bpf('ct', 'list', '--help')).stdout).toContain('--all-nodes');
    for (const verb of [
      ['ct', 'top'],
      ['maps', 'dump'],
    ])
      expect((await bpf(...verb, '--help')).stdout).not.toContain('--all-nodes');
  });

  test.each<[string[], string]>([
    [['ct', 'flush', '--all-nodes'], '--all-nodes and --limit-nodes are for verbs that read'],
    [['ct', 'top', '--node', 'n1'], 'bpf ct top reads the maps of this machine'],
    [['maps', 'dump', 'x', '--node', 'n1'], 'bpf maps dump reads the maps of this machine'],
    [['ct', 'list', '--node', 'n1', '--bpf-root', '/x'], '--bpf-root is for the maps of this machine'],
    [
      ['ct', 'list', '--node', 'n1', '--agent-release=1.14'],
      '--agent-release is for the maps of this machine',
    ],
    [['ct', 'list', '--node', 'n1', '-D', '--ip', '10.0.0.1'], "--ip is this program's own, and bpf ct list"],
    [['ct', 'list', '--pod', 'x', '--node=n1', '--where', 'port = 80'], "--pod is this program's own"],
    [['ct', 'flush', 'global', '--node', 'n1', '--dry-run'], "--dry-run is this program's own"],
    [['ipcache', 'update', '10.0.0.0/8', '-y', '--node', 'n1'], "--yes is this program's own"],
    [['fs', 'show', '--node', 'n1', '--pod', 'x'], '--node and --pod cannot be used together'],
    [['ct', 'list'], 'with root privileges'],
  ])('%j is refused, and nothing runs', async (argv, message) => {
    const { stderr, code } = await bpf(...argv);
    expect(stderr).toContain(message);
    expect([ran, code]).toEqual([[], 1]);
  });

  test('every one that writes is marked as one that changes the agent', () => {
    const verbs = (verb: Verb, path: string[] = []): [string[], Verb][] => [
      [path, verb],
      ...Object.entries(verb.verbs ?? {}).flatMap(([name, child]) => verbs(child, [...path, name])),
    ];
    const root = TREE.verbs?.bpf;
    expect(root?.inPod && globalsOf(root).length).toBe(2);
    const writing = verbs(root ?? { about: '' }).filter(([path]) =>
      /^(flush|delete|update|add)$/.test(path.at(-1) ?? ''),
    );
    expect(writing.length).toBeGreaterThan(10);
    expect(writing.filter(([, verb]) => !verb.changes)).toEqual([]);
  });
});

describe('a verb of an agent elsewhere whose container has no perl', () => {
  const ask = (...argv: string[]) => run(argv, { env: { KUBECONFIG: server.kubeconfig } });

  test.each<[string[], string[]]>([
    [
      ['endpoint', 'list', '--node', 'n1', '-o', 'json'],
      ['endpoint', 'list', '-o', 'json'],
    ],
    [
      ['status', '--node', 'n1', '--verbose', '--agent-transport', 'auto'],
      ['status', '--verbose'],
    ],
    [
      ['config', 'PolicyEnforcement=always', '--node', 'n1'],
      ['config', 'PolicyEnforcement=always'],
    ],
  ])('%j runs %j there', async (argv, words) => {
    const { stdout, stderr, code } = await ask(...argv);
    expect(ran).toEqual([{ pod: 'cilium-1', words: ['cilium-dbg', ...words] }]);
    expect([stdout, stderr, code]).toEqual(['said\n', '', 0]);
  });

  test('is run on all nodes', async () => {
    const { stdout, code } = await ask('identity', 'list', '--all-nodes');
    expect(ran.map(({ pod, words }) => [pod, ...words]).toSorted()).toEqual([
      ['cilium-1', 'cilium-dbg', 'identity', 'list'],
      ['cilium-2', 'cilium-dbg', 'identity', 'list'],
    ]);
    expect([stdout.includes('said'), code]).toEqual([true, 0]);
  });

  test('is not run by it where the relay is asked for, and at once where the command line is', async () => {
    const relay = await ask('endpoint', 'list', '--node', 'n1', '--agent-transport', 'relay');
    expect(relay.stderr).toMatch(/perl.*not found/);
    expect([ran, relay.code]).toEqual([[], 1]);
    programs = ['cilium-dbg', 'perl'];
    const cli = await ask('endpoint', 'list', '--node', 'n1', '--agent-transport', 'cli');
    expect(ran).toEqual([{ pod: 'cilium-1', words: ['cilium-dbg', 'endpoint', 'list'] }]);
    expect(cli.code).toBe(0);
  });

  test.each([
    ['config', 'PolicyEnforcement=always', '--all-nodes'],
    ['config', '-n', '16', '--all-nodes'],
    ['endpoint', 'config', '12', 'Debug=true', '--all-nodes'],
  ])('%j %s %s changes one agent at a time', async (...argv) => {
    const { stdout, stderr, code } = await ask(...argv);
    expect(stderr).toContain('--all-nodes and --limit-nodes are for verbs that read');
    expect([stdout, ran, code]).toEqual(['', [], 1]);
  });

  test('which reads its configuration does so of all', async () => {
    expect((await ask('config', '--all-nodes')).code).toBe(0);
    expect((await ask('endpoint', 'config', '12', '--limit-nodes', 'a=b')).code).toBe(0);
    expect(ran.length).toBe(4);
  });

  test('is named in the hint where this machine has no agent', async () => {
    const hint = 'Is the agent running? Its socket is named by --host or CILIUM_SOCK.';
    const { stderr } = await ask('ip', 'list');
    expect(stderr).toContain(`${hint} An agent of a cluster: --node NAME.\n`);
    expect((await ask('ip', 'list', '-H', 'unix:///nowhere')).stderr).toContain(`${hint}\n`);
    expect((await run(['ip', 'list'])).stderr).toContain(`${hint}\n`);
  });

  test.each<[string[], string]>([
    [['ip', 'list', '--agent-transport', 'cli'], '--agent-transport needs --node, --pod or --all-nodes'],
    [
      ['endpoint', 'list', '--node', 'n1', '--agent-transport', 'ssh'],
      'Allowed choices are auto, relay, cli',
    ],
  ])('%j is refused', async (argv, message) => {
    const { stderr, code } = await ask(...argv);
    expect(stderr).toContain(message);
    expect([ran, code]).toEqual([[], 1]);
  });
});
