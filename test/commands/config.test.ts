import { describe, expect, test } from '@jest/globals';
import type { RestExchange } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { type RunOptions, run } from '../helpers/run.ts';

const get = (body: unknown): RestExchange => ({
  request: { method: 'GET', path: '/v1/config' },
  response: { status: 200, contentType: 'application/json', body: JSON.stringify(body) },
});
const patch = (status: number, body = ''): RestExchange => ({
  request: { method: 'PATCH', path: '/v1/config' },
  response: { status, contentType: 'application/json', body },
});

const config = (options: object, extra: object = {}) => ({
  status: {
    realized: { options, 'policy-enforcement': 'default' },
    nodeMonitor: { cpus: 2, npages: 64, pagesize: 4096 },
    daemonConfigurationMap: {},
    ...extra,
  },
});

async function ask(argv: string[], exchanges: RestExchange[], options: RunOptions = {}) {
  await using agent = await replay(exchanges);
  const result = await run(['config', ...argv], { env: { CILIUM_SOCK: agent.socket }, ...options });
  const writes = agent.seen.filter(({ method }) => method === 'PATCH').map(({ body }) => JSON.parse(body));
  return { ...result, writes };
}

describe('config', () => {
  test('shows the options of 1.9 in one list', async () => {
    const old = {
      status: {
        realized: { options: { Debug: 'Disabled', Conntrack: '1' }, 'policy-enforcement': 'always' },
        immutable: { IPv4: 'true' },
        'k8s-configuration': '/root/kubeconfig',
        'k8s-endpoint': 'https://k8s',
        nodeMonitor: { npages: 64 },
      },
    };
    expect((await ask([], [get(old)])).stdout).toBe(
      [
        'Conntrack                Enabled',
        'Debug                    Disabled',
        'IPv4                     Enabled',
        'k8s-configuration        /root/kubeconfig',
        'k8s-endpoint             https://k8s',
        'PolicyEnforcement        always',
        'MonitorNumPages          64',
        '',
      ].join('\n'),
    );
  });

  test('shows read-only values as Go prints them, nested ones below their name', async () => {
    const answer = config(
      { Debug: 'Disabled' },
      {
        daemonConfigurationMap: { B: null, A: ['x', 1, true], M: { z: false, a: { k: [1] } }, E: {} },
        immutable: { Fixed: 'true' },
      },
    );
    expect((await ask(['-r'], [get(answer)])).stdout).toBe(
      [
        '#### Read-only configurations ####',
        'A                                 : [x 1 true]',
        'B                                 : <nil>',
        'E',
        'M',
        '\ta                         : map[k:[1]]',
        '\tz                         : Disabled',
        'k8s-configuration                 : ',
        'k8s-endpoint                      : ',
        'Fixed                             : Enabled',
        '',
      ].join('\n'),
    );
  });

  test('merges both for -o with --all; what is read-only keeps its value', async () => {
    const answer = config(
      { Debug: 'Enabled' },
      { daemonConfigurationMap: { z: { b: 1, a: 2 }, 'policy-enforcement': 'mine' } },
    );
    const { stdout } = await ask(['-a', '-o', 'json'], [get(answer)]);
    expect(stdout).toBe(
      `${JSON.stringify({ options: { Debug: 'Enabled' }, 'policy-enforcement': 'mine', z: { a: 2, b: 1 } }, undefined, 2)}\n\n`,
    );
  });

  test('leaves out of -o with --all what is empty', async () => {
    const answer = config({}, { daemonConfigurationMap: { a: 1 }, realized: {} });
    expect((await ask(['-a', '-o', 'json'], [get(answer)])).stdout).toBe('{\n  "a": 1\n}\n\n');
  });

  const numbers = {
    Ns: 900000000000,
    Few: 7,
    Share: 0.25,
    Inner: { Size: 65536, List: [1000000] },
    None: null,
  };
  test.each([
    [
      ['-r', '-o', 'yaml'],
      'Few: "7"\nInner:\n    List:\n        - "1000000"\n    Size: "65536"\nNone: null\nNs: "900000000000"\nShare: "0.25"\n\n',
    ],
    [
      ['-a', '-o', 'yaml'],
      'Few: 7\nInner:\n    List:\n        - 1e+06\n    Size: 65536\nNone: null\nNs: 9e+11\nShare: 0.25\noptions:\n    Debug: Enabled\npolicy-enforcement: default\n\n',
    ],
    [
      ['-a', '-o', 'jsonpath={.Ns} {.Few} {.Inner} {.Inner.List[0]} {.None}'],
      '9e+11 7 {"List":[1000000],"Size":65536} 1e+06 null\n',
    ],
    [['-r', '-o', 'jsonpath={.Ns} {.Few}'], '900000000000 7\n'],
  ])('has the numbers as Go holds them: %j', async (flags, text) => {
    const { stdout } = await ask(flags, [
      get(config({ Debug: 'Enabled' }, { daemonConfigurationMap: numbers })),
    ]);
    expect(stdout).toBe(text);
  });

  // differs: config-write
  test('sends the whole map with the changes in words, and is silent', async () => {
    const exchanges = [
      get(config({ Debug: 'Disabled', PolicyAuditMode: 'Enabled' })),
      patch(200),
      get(config({})),
    ];
    const done = get(config({ Debug: 'Enabled', PolicyAuditMode: 'Disabled' }));
    const { stdout, stderr, code, writes } = await ask(
      ['debug=on', 'PolicyAuditMode=0', 'MonitorAggregationLevel=medium', 'PolicyEnforcement=never'],
      [...exchanges.slice(0, 2), done],
    );
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(writes).toEqual([
      {
        options: { Debug: 'Enabled', MonitorAggregationLevel: 'medium', PolicyAuditMode: 'Disabled' },
        'policy-enforcement': 'never',
      },
    ]);
    expect(stderr).toContain('the agent does not show');
  });

  test('with --wait returns when the agent shows the change, and says so', async () => {
    const before = get(config({ Debug: 'Disabled' }));
    const after = get(config({ Debug: 'Enabled' }));
    const { stdout, stderr, code } = await ask(['Debug=true', '--wait'], [before, patch(200), before, after]);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: 'The agent now has Debug=Enabled.\n',
      code: 0,
    });
  });

  test('with --wait gives up in the end', async () => {
    const { stderr, code } = await ask(
      ['Debug=true', '--wait', '--wait-timeout', '2s'],
      [get(config({ Debug: 'Disabled' })), patch(200)],
    );
    expect(code).toBe(1);
    expect(stderr).toContain('Debug=Enabled: not shown by the agent after 2 s');
  });

  test('changes the pages of the monitor only when they differ', async () => {
    const answer = get(config({ Debug: 'Disabled' }));
    const same = await ask(['-n', '64'], [answer, patch(200)]);
    expect(same.writes).toEqual([{ options: { Debug: 'Disabled' }, 'policy-enforcement': 'default' }]);
    const other = await ask(['--num-pages', '128'], [answer, patch(200)]);
    expect(other.writes[0]?.options).toEqual({ Debug: 'Disabled', MonitorNumPages: '128' });
  });

  test('leaves the mode of policy enforcement where none is named', async () => {
    const { writes } = await ask(['PolicyEnforcement='], [get(config({})), patch(200)]);
    expect(writes).toEqual([{ options: {}, 'policy-enforcement': 'default' }]);
  });

  test.each([
    [
      'Debug',
      {
        stdout: '',
        stderr: /^Error: Improper configuration format provided\nExpected Option=value, but got "Debug"/,
      },
    ],
    ['Debug=perhaps', { stdout: 'invalid option value perhaps\n', stderr: /true or false/ }],
    ['!Debug=1', { stdout: 'invalid boolean format\n', stderr: /./ }],
    [
      'policyenforcement=always',
      { stdout: 'unknown option "policyenforcement"\n', stderr: /Options: Debug, / },
    ],
  ])('refuses %s where the reference says so, and writes nothing', async (argument, expected) => {
    const { stdout, stderr, code, writes } = await ask([argument], [get(config({})), patch(200)]);
    expect({ stdout, code, writes }).toEqual({ stdout: expected.stdout, code: 1, writes: [] });
    expect(stderr).toMatch(expected.stderr);
  });

  test('passes on why the agent refuses', async () => {
    const { stderr, code } = await ask(['Debug=true'], [get(config({})), patch(400, '"no such option"')]);
    expect(code).toBe(1);
    expect(stderr).toContain('Unable to change agent configuration: [PATCH /config][400]');
    expect(stderr).toContain('no such option');
  });

  test('says when the answer holds no configuration', async () => {
    expect((await ask([], [get({})])).stderr).toMatch(/: GET \/v1\/config: expected an object with fields/);
    expect((await ask([], [get({ status: { realized: { options: { Debug: 1 } } } })])).stderr).toMatch(
      /expected a string at \.status\.realized\.options\.Debug/,
    );
  });
});

// differs: random-order
test('config --list-options has one order', async () => {
  const names = async () =>
    (await ask(['--list-options'], [])).stdout.split('\n').map((line) => line.split(/\s/)[0] ?? '');
  const first = await names();
  expect(first.length).toBeGreaterThan(5);
  expect(await names()).toEqual(first);
});

describe('config get', () => {
  const answer = get(
    config(
      { Debug: 'Enabled' },
      { daemonConfigurationMap: { Debug: false, ClusterID: 7, Nested: { Inner: ['a'] }, 'kebab-name': 1 } },
    ),
  );
  test.each([
    ['cluster-id', '7\n'],
    ['DEBUG', 'Enabled\n'],
    ['inner', '[a]\n'],
    ['nested', 'map[Inner:[a]]\n'],
    ['policy-enforcement', 'default\n'],
  ])('finds %s whatever its case and dashes', async (name, stdout) => {
    expect(await ask(['get', name], [answer])).toMatchObject({ stdout, stderr: '', code: 0 });
  });

  test('keeps dashes of its own keys, and so never finds them', async () => {
    const { stderr, code } = await ask(['get', 'kebab-name'], [answer]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: Configuration does not exist\n/);
  });

  test('needs a name', async () => {
    expect((await ask(['get'], [])).stderr).toMatch(/^Error: Missing config name argument\n/);
    expect((await ask(['get', ''], [])).stderr).toMatch(/^Error: Empty config name argument\n/);
  });
});
