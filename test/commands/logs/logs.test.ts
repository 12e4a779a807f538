import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { refusal } from '../../helpers/kube.ts';
import { LogCluster } from '../../helpers/log-cluster.ts';
import { type RunOptions, run } from '../../helpers/run.ts';

let cluster: LogCluster;
beforeEach(async () => {
  cluster = new LogCluster();
  await cluster.start();
});
afterEach(async () => {
  await cluster[Symbol.asyncDispose]();
});

const logs = (words: string[], options: RunOptions = {}) =>
  run(['logs', ...words], { ...options, env: { KUBECONFIG: cluster.kubeconfig, ...options.env } });
const linesOf = ({ stdout }: { stdout: string }) => stdout.split('\n').slice(0, -1);

/** Two agents that wrote by turns, one of each other component. */
function fill(): void {
  cluster.add('cilium-a', 'n1');
  cluster.add('cilium-b', 'n10');
  cluster.add('operator-x', 'n1', 'operator');
  cluster.add('relay-x', 'n10', 'relay');
  cluster.add('relay-y', 'n10', 'relay');
  cluster.add('envoy-a', 'n1', 'envoy');
  cluster.write(
    'cilium-a',
    'time="2026-01-01T00:00:00Z" level=info msg="first words" subsys=daemon file="a b"',
  );
  cluster.write(
    'cilium-b',
    '{"time":"2026-01-01T00:00:00Z","level":"WARN","msg":"second","module":"agent.infra.k8s","n":18446744073709551615}',
  );
  cluster.write(
    'cilium-a',
    'time=2026-01-01T00:00:00Z level=error source=/go/x.go:7 msg="third \\"quoted\\"" module=agent.controlplane.daemon error="a=b"',
  );
  cluster.write('cilium-b', 'panic: runtime error');
  cluster.write('cilium-b', 'goroutine 1 [running]:');
  cluster.write('cilium-b', '\tmain.go:3');
  cluster.write('operator-x', 'I0921 14:13:20.000000       1 lease.go:3] leading');
  cluster.write('relay-x', 'level=debug msg=quiet subsys=relay');
  cluster.write('envoy-a', '[2026-09-21 14:13:20.000][12][warning][config] [source/x.cc:9] slow');
}

test('lines of all nodes stand in the order of their times, in one form', async () => {
  fill();
  expect(await logs([])).toEqual({
    stdout: [
      'n1   2026-09-21T14:13:20.007Z  info   [daemon] first words file="a b"',
      'n10  2026-09-21T14:13:20.014Z  warn   [agent.infra.k8s] second n=18446744073709551615',
      'n1   2026-09-21T14:13:20.021Z  error  [agent.controlplane.daemon] third "quoted" source=/go/x.go:7 error="a=b"',
      'n10  2026-09-21T14:13:20.028Z  panic: runtime error',
      'n10  2026-09-21T14:13:20.035Z  goroutine 1 [running]:',
      'n10  2026-09-21T14:13:20.042Z      main.go:3',
      '',
    ].join('\n'),
    stderr: '',
    code: 0,
  });
});

test('of several components each line names its own, and its pod where a node has several', async () => {
  fill();
  cluster.write('relay-y', 'hello');
  const labels = linesOf(await logs(['--component', 'all'])).map((line) => line.split(/ {2,}/)[0]);
  expect([...new Set(labels)]).toEqual([
    'n1/agent',
    'n10/agent',
    'n1/operator',
    'n10/relay-x',
    'n1/envoy',
    'n10/relay-y',
  ]);
  expect(linesOf(await logs(['--component', 'operator,envoy']))).toEqual([
    'n1/operator  2026-09-21T14:13:20.049Z  info   leading source=lease.go:3',
    'n1/envoy     2026-09-21T14:13:20.063Z  warn   [config] slow thread=12 source=source/x.cc:9',
  ]);
});

test.each([
  [['--node', 'n10'], ['n10'], 4],
  [['--node', 'n1,n10'], ['n1', 'n10'], 6],
  [['--all-nodes'], ['n1', 'n10'], 6],
  [['--limit-nodes', 'name=n1'], ['n1'], 2],
])('%j says of which nodes', async (flags, nodes, count) => {
  fill();
  const lines = linesOf(await logs(flags));
  expect([...new Set(lines.map((line) => line.split(' ')[0]))].toSorted()).toEqual(nodes);
  expect(lines).toHaveLength(count);
});

test.each([
  [
    ['--level', 'warn'],
    ['second', 'third', 'panic', 'goroutine', 'main.go'],
  ],
  [
    ['--level', 'error'],
    ['third', 'panic', 'goroutine', 'main.go'],
  ],
  [
    ['--subsys', 'daemon'],
    ['first', 'third', 'panic', 'goroutine', 'main.go'],
  ],
  [
    ['--subsys', 'infra.k8s'],
    ['second', 'panic', 'goroutine', 'main.go'],
  ],
  [
    ['--grep', '(?i)FIRST|main'],
    ['first', 'main.go'],
  ],
  [
    ['--tail', '1'],
    ['third', 'main.go'],
  ],
  [
    ['--tail', '-1', '--grep', 'd'],
    ['first', 'second', 'third'],
  ],
  [['--since', '2026-09-21T14:13:21Z'], []],
])('%j says which lines', async (flags, words) => {
  fill();
  const lines = linesOf(await logs(flags));
  expect(lines).toHaveLength(words.length);
  words.forEach((word, i) => {
    expect(lines[i]).toContain(word);
  });
});

test('-o json has an object per line, numbers whole; -o raw the lines themselves', async () => {
  fill();
  const [first, second, , panic] = linesOf(await logs(['-o', 'json']));
  expect(JSON.parse(first ?? '')).toEqual({
    time: expect.stringMatching(/^2026-09-21T14:13:20\.007000000Z$/),
    node: 'n1',
    pod: 'cilium-a',
    container: 'cilium-agent',
    level: 'info',
    subsystem: 'daemon',
    message: 'first words',
    fields: { file: 'a b' },
  });
  expect(second).toContain('"fields":{"n":18446744073709551615}');
  expect(JSON.parse(panic ?? '')).toMatchObject({ level: 'fatal', message: 'panic: runtime error' });
  expect(linesOf(await logs(['-o', 'raw', '--tail', '1']))[1]).toContain('main.go:3');
});

test('what a log holds steers no terminal', async () => {
  cluster.add('cilium-a', 'n1');
  cluster.write('cilium-a', 'level=info msg="\\x1b[2J\\u202eevil" subsys="\\x1b]0;t"');
  cluster.write('cilium-a', '\u001b[2Jplain \u009b1m');
  cluster.write('cilium-a', '{"msg":"\\u001b[2J","level":"info","k\\u001b":"\\u001b"}');
  for (const form of ['text', 'raw', 'json']) {
    const { stdout } = await logs(['-o', form], { columns: 200, env: { NO_COLOR: '1' } });
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(linesOf({ stdout })).toHaveLength(3);
  }
});

test('a node has its colour on a terminal, and what is bad is red', async () => {
  fill();
  const { stdout } = await logs(['--level', 'error'], { columns: 200 });
  expect(stdout).toMatch(/^\u001b\[\d+mn1 \u001b\[39m {2}\u001b\[2m2026.*\u001b\[31merror\u001b\[39m/);
});

describe('exit codes', () => {
  test('3 when some logs failed, each told', async () => {
    fill();
    cluster.add('cilium-c', 'n3', 'agent', true);
    const { stdout, stderr, code } = await logs([]);
    expect(stdout).toContain('first words');
    expect(stderr).toMatch(
      /^n3: GET .*: container "cilium-agent" in pod "cilium-c" is waiting to start: PodInitializing\n1 of 3 logs failed\n$/,
    );
    expect(code).toBe(3);
    const more = await logs(['--node', 'n1,n9']);
    expect(more.stderr).toBe('n9: no agent of Cilium runs there\n1 of 2 logs failed\n');
    expect(more.code).toBe(3);
  });

  test('1 when all did, a refusal told once with verb, resource and namespace', async () => {
    fill();
    cluster.refuse = ({ pathname }) =>
      pathname.endsWith('/log')
        ? refusal(
            403,
            'Forbidden',
            'pods "cilium-a" is forbidden: User "v" cannot get resource "pods/log" in API group "" in the namespace "kube-system"',
          )
        : undefined;
    const { stdout, stderr, code } = await logs([]);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toMatch(
      /^n1: .*User "v" cannot get resource "pods\/log" in API group "" in the namespace "kube-system"\n.*\n2 of 2 logs failed\n$/,
    );
    const one = await logs(['--node', 'n9']);
    expect([one.stderr, one.code]).toEqual(['n9: no agent of Cilium runs there\n1 of 1 logs failed\n', 1]);
  });

  test.each<[string[], string]>([
    [['-n', 'other'], 'no pod of agent is there in the namespace other'],
    [['--component', 'relay', '--node', 'n1'], 'no pod of relay is there in the namespace kube-system on n1'],
    [
      ['--component', 'etcd'],
      'invalid argument "etcd" for "--component" flag: expected agent, operator, relay, envoy, all',
    ],
    [['--level', 'loud'], 'invalid argument "loud" for "--level" flag'],
    [['--since', 'noon'], 'invalid argument "noon" for "--since" flag'],
    [['--grep', '('], 'invalid --grep filter: ('],
    [['-o', 'yaml'], 'invalid argument "yaml" for "-o, --output" flag: expected text, json, raw'],
    [['--previous', '-f'], '--previous and --follow cannot be used together'],
    [['--node', 'n1', '--all-nodes'], '--node and --all-nodes cannot be used together'],
    [['--node', ''], '--node needs the name of a node'],
    [['--tail', '-2'], 'invalid argument "-2" for "--tail" flag'],
    [['--context', 'no'], 'the kubeconfig has no context "no"'],
  ])('1 for %j', async (flags, message) => {
    cluster.add('cilium-a', 'n1');
    const { stdout, stderr, code } = await logs(flags);
    expect(stderr).toContain(message);
    expect([stdout.includes('2026'), code]).toEqual([false, 1]);
  });
});

test('--previous shows what containers wrote before their last restart, of those that had one', async () => {
  fill();
  expect(await logs(['--previous'])).toEqual({
    stdout: '',
    stderr: 'No container was restarted: there are no logs from before.\n',
    code: 0,
  });
  cluster.end('cilium-a');
  cluster.run('cilium-a');
  cluster.write('cilium-a', 'after');
  const { stdout, code } = await logs(['--previous', '-o', 'raw']);
  expect(stdout).toContain('first words');
  expect(stdout).not.toContain('after');
  expect(code).toBe(0);
});

test('so many are read at once', async () => {
  for (let i = 0; i < 12; i++) cluster.add(`cilium-${i}`, `n${i}`);
  cluster.delayMs = 20;
  expect((await logs(['--concurrency', '3'])).code).toBe(0);
  expect(cluster.asked).toHaveLength(12);
  expect(cluster.mostAtOnce).toBe(3);
});
