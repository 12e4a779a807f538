import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { listen } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';
import { answer, ask, report } from './serve.ts';

const OK = { state: 'Ok', msg: '1.20.0 (v1.20.0-abcdef12)' };
const PROBED = [{ name: 'cilium-health-ep', status: {} }];

describe('status --brief', () => {
  test.each<[object, string, number]>([
    [{ cilium: OK }, 'OK\n', 0],
    [{ kvstore: { state: 'Failure', msg: 'no quorum' }, cilium: OK }, 'error in kvstore: no quorum\n', 0],
    [
      {
        cilium: OK,
        kubernetes: { state: 'Warning', msg: 'k' },
        'container-runtime': { state: 'Warning', msg: 'c' },
      },
      'error in container runtime: c\n',
      0,
    ],
    [{ cilium: { state: 'Failure', msg: 'down' } }, 'error in cilium: down\n', 1],
    [
      { cilium: OK, cluster: { ciliumHealth: { state: 'Warning', msg: 'late' } } },
      'error in cilium-health: late\n',
      0,
    ],
    [
      { cilium: OK, controllers: [{ name: 'a' }, { name: 'b', status: { 'last-failure-msg': 'x' } }] },
      'error in controller b: x\n',
      0,
    ],
    [{ cilium: { state: 'Disabled' } }, 'OK\n', 0],
  ])('of %j', async (status, stdout, code) => {
    expect(await ask(['status', '--brief'], { status })).toEqual({ stdout, stderr: '', code });
  });

  test('does not take an odd answer for an agent that is not there', async () => {
    expect(await ask(['status', '--brief'], { status: '{}' })).toEqual({
      stdout: '',
      stderr:
        'Error: GET /v1/healthz: expected an object with fields, found an empty one\nIs this the socket of a Cilium agent?\n',
      code: 1,
    });
  });

  test('says in one line that nothing answers', async () => {
    const result = await run(['status', '--brief'], { env: { CILIUM_SOCK: '/nonexistent/agent.sock' } });
    expect(result).toEqual({ stdout: '', stderr: 'cilium: daemon unreachable\n', code: 1 });
  });
});

describe('the exit code of status', () => {
  test('is 1 when Cilium is not well, and its health is not asked then', async () => {
    const { stdout, code } = await ask(['status'], {
      status: { cilium: { state: 'Warning', msg: 'w' }, controllers: PROBED },
      health: {},
    });
    expect(code).toBe(1);
    expect(stdout).toContain('Cilium:                  Warning   w\n');
    expect(stdout).not.toContain('Cluster health');
  });

  test('is 0 with -o, however unwell it is', async () => {
    const status = { cilium: { state: 'Failure', msg: 'down' } };
    const { stdout, code } = await ask(['status', '-o', 'json'], { status });
    expect({ parsed: JSON.parse(stdout), code }).toEqual({ parsed: status, code: 0 });
  });

  test('is 1 for an output that does not exist', async () => {
    const { stdout, code } = await ask(['status', '-o', 'toml'], { status: {} });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });
});

test('what is asked travels in the headers', async () => {
  const agent = await import('../../helpers/replay.ts').then(({ replay }) =>
    replay([answer('/v1/healthz', {})]),
  );
  await using _ = agent;
  const env = { CILIUM_SOCK: agent.socket };
  await run(['status', '--brief'], { env });
  await run(['status', '--require-k8s-connectivity=false'], { env });
  expect(agent.seen.map(({ headers }) => [headers.brief, headers['require-k8s-connectivity']])).toEqual([
    ['true', 'true'],
    ['false', 'false'],
  ]);
});

describe('an agent that does not answer as it should', () => {
  test('no socket', async () => {
    const { stderr, code } = await run(['status'], { env: { CILIUM_SOCK: '/nonexistent/agent.sock' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/no such socket\nIs the agent running\?/);
  });

  test('a server that says nothing, until --timeout', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}));
    const path = await listen(silent as never);
    const { stderr, code } = await run(['status', '--timeout', '50ms'], { env: { CILIUM_SOCK: path } });
    silent.close();
    expect(code).toBe(1);
    expect(stderr).toContain('no answer within 0.05 s\nCilium API client timeout exceeded');
  });

  test.each([
    ['text', '"hello"', /expected an object, found a string/],
    ['a list', '[1]', /expected an object, found a list/],
    ['nothing', '', /GET \/v1\/healthz: expected an object, found nothing/],
    ['null', 'null', /GET \/v1\/healthz: expected an object, found null/],
    ['an object without fields', '{}', /expected an object with fields, found an empty one/],
    ['a status without its main part', '{"kvstore":{}}', /expected an object at \.cilium, found nothing/],
    ['HTML', '<html>', /is not JSON.*\nIs this the socket of a Cilium agent\?/s],
    [
      'a state that is a number',
      '{"kvstore":{"state":5}}',
      /expected a string at \.kvstore\.state, found a number/,
    ],
    [
      'controllers that are an object',
      '{"cilium":{},"controllers":{"a":1}}',
      /a list at \.controllers, found an object/,
    ],
    [
      'an address owner that is a list',
      '{"cilium":{},"ipam":{"allocations":{"10.0.0.1":[]}}}',
      /ipam\.allocations/,
    ],
    [
      'a map size that is a fraction',
      '{"cilium":{},"bpf-maps":{"maps":[{"size":1.5}]}}',
      /a whole number at \.bpf-maps\.maps\[0\]\.size, found a fraction/,
    ],
  ])('%s', async (_, body, message) => {
    const { stdout, stderr, code } = await ask(['status'], { status: body });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });

  test('nulls everywhere are as good as nothing', async () => {
    const keys =
      'kvstore kubernetes cluster controllers hubble ipam proxy masquerading routing encryption stale'.split(
        ' ',
      );
    const nulls = Object.fromEntries(keys.map((key) => [key, null]));
    const { stdout, code } = await ask(['status', '--verbose'], {
      status: {
        ...nulls,
        cilium: { state: 'Ok', msg: null },
        'kube-proxy-replacement': { deviceList: [null, { name: null, ip: [null] }], features: null },
        'cluster-mesh': { clusters: null },
        'bpf-maps': { maps: [null] },
      },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^KubeProxyReplacement:.*\nCilium: +Ok.*\nNodeMonitor: +Disabled\n/);
  });

  test('control bytes do not reach the terminal', async () => {
    const { stdout } = await ask(['status'], {
      status: { cilium: OK, kvstore: { state: 'Ok', msg: '\u001b[2Jgone\r' } },
    });
    expect(stdout).toContain('KVStore:                 Ok   ^[[2Jgone\\r\n');
  });

  test('an error of the agent names the call', async () => {
    const others = [answer('/v1/healthz', 'busy', 503)];
    const { stderr, code } = await ask(['status'], { others });
    expect(code).toBe(1);
    expect(stderr).toContain('[GET /healthz][503]');
  });
});

describe('what is asked beside the status', () => {
  const status = { cilium: OK, controllers: PROBED };

  test('is not asked where nodes are not probed', async () => {
    const { stdout } = await ask(['status'], { status: { cilium: OK, controllers: [] } });
    expect(stdout).toMatch(/\nCluster health: +Probe disabled\n$/);
  });

  test.each(['1.11.0', '1.17.0'])(
    'is not asked by %s either, which leaves a column empty',
    async (version) => {
      const old = {
        cilium: { state: 'Ok', msg: `${version} (x)` },
        routing: { 'inter-host-routing-mode': 'Native' },
      };
      const { stdout } = await ask(['status'], { status: old });
      expect(stdout).toMatch(/\nCluster health: {6,}Probe disabled\n$/);
    },
  );

  test('is the health daemon alone for 1.9', async () => {
    const health = { timestamp: 't', nodes: [] };
    const { stdout } = await ask(['status'], {
      status: { cilium: { state: 'Ok', msg: '1.9.5 (x)' } },
      health,
    });
    expect(stdout).toMatch(/\nCluster health: +0\/0 reachable +\(t\)\n$/);
  });

  test('may be unreachable', async () => {
    const { stdout, code } = await ask(['status'], { status, modules: [] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nCluster health: +Warning +cilium-health daemon unreachable\n/);
  });

  // differs: status-no-modules
  test('may be an agent without the table, which is said on stderr', async () => {
    const { stdout, stderr, code } = await ask(['status'], { status, health: { nodes: [] } });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nModules Health: +Stopped\(0\) Degraded\(0\) OK\(0\)\n\n$/);
    expect(stderr).toBe('This agent does not report the health of its modules.\n');
  });

  // differs: status-modules-break
  test('ends the command when the table breaks off, after what is known', async () => {
    const others = [answer('/statedb/query', '{"rev":1,"obj":{}}\n{"rev":')];
    const { stdout, stderr, code } = await ask(['status'], { status, health: { nodes: [] }, others });
    expect(code).toBe(1);
    expect(stdout).toContain('Cluster health:');
    expect(stderr).toMatch(
      /^Error: Failed while streaming remote health data table: .*the answer is not JSON/,
    );
  });

  test('ends the command with the error that the table reports', async () => {
    const others = [answer('/statedb/query', '{"err":"Index \\"x\\" not found"}', 400)];
    const { stderr, code } = await ask(['status'], { status, health: { nodes: [] }, others });
    expect(code).toBe(1);
    expect(stderr).toContain('health data table: Index "x" not found');
  });

  test('is a tally and the trees of all roots with --all-health', async () => {
    const modules = [
      report('agent.a.b/c', 'OK', 'yo'),
      report('agent.a.b/c.d', 'Degraded', 'doh', '0001-01-01T00:00:00Z'),
      report('agent.a-z/x', 'Stopped', 'done'),
      report('other/y', 'OK', 'elsewhere'),
    ];
    const { stdout } = await ask(['status', '--all-health'], { status, health: { nodes: [] }, modules });
    const tree = stdout.slice(stdout.indexOf('Modules Health:')).split('\n');
    const text = tree.slice(1).map((line) => line.slice(2).trimEnd());
    expect(tree[0]).toMatch(/^Modules Health: +Stopped\(1\) Degraded\(1\) OK\(2\)$/);
    expect(text.join('\n')).toBe(
      [
        'agent',
        '├── a',
        '│   └── b',
        '│       └── c',
        `│           ├── [reporter]${' '.repeat(34)}[OK] yo (2m, x2)`,
        `│           └── d${' '.repeat(43)}[DEGRADED] doh (n/a, x2)`,
        '└── a-z',
        `    └── x${' '.repeat(51)}[STOPPED] done (2m, x2)`,
        'other',
        `└── y${' '.repeat(43)}[OK] elsewhere (2m, x2)`,
        '',
        '',
        '',
      ].join('\n'),
    );
  });
});

test('what a module says of itself has no name in the tree', async () => {
  const modules = [report('agent.a', 'OK', 'own'), report('agent.a/b', 'OK', 'part')];
  const answers = { status: { cilium: OK, controllers: PROBED }, health: { nodes: [] }, modules };
  const { stdout } = await ask(['status', '--all-health'], answers);
  expect(stdout.slice(stdout.indexOf('  agent')).split('\n')).toEqual([
    '  agent',
    '  └── a',
    `      ├── ${' '.repeat(44)}[OK] own (2m, x2)`,
    `      └── b${' '.repeat(43)}[OK] part (2m, x2)`,
    '  ',
    '',
    '',
  ]);
  const problems = await ask(['status', '--problems'], {
    ...answers,
    modules: [report('agent.a', 'Degraded', 'own')],
  });
  expect(problems.stdout).toContain('module: agent.a: own\n');
});

test('an agent whose modules have said nothing has a tally without a tree', async () => {
  const answers = { status: { cilium: OK, controllers: PROBED }, health: { nodes: [] }, modules: [] };
  const { stdout } = await ask(['status', '--verbose'], answers);
  expect(stdout).toMatch(/\nModules Health: +Stopped\(0\) Degraded\(0\) OK\(0\)\n\n$/);
});

test('a report of an agent that answers the table by POST is found', async () => {
  const others = [
    answer('/statedb/query', 'no', 405),
    {
      ...answer('/statedb/query', `${JSON.stringify({ rev: 1, obj: report('agent/x', 'OK', 'm') })}\n`),
      request: { method: 'POST', path: '/statedb/query' },
    },
  ];
  const { stdout } = await ask(['status'], {
    status: { cilium: OK, controllers: PROBED },
    health: { nodes: [] },
    others,
  });
  expect(stdout).toMatch(/Modules Health: +Stopped\(0\) Degraded\(0\) OK\(1\)\n/);
});
