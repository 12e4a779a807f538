import { describe, expect, test } from '@jest/globals';
import { agentOf, runWith } from '../helpers/agent.ts';

const health = (msg: string, more: object = {}) => ({ body: { cilium: { state: 'Ok', msg }, ...more } });
const LABELS = {
  body: {
    spec: {},
    status: { realized: {}, 'security-relevant': ['k8s:app=web'] },
  },
};

describe('the release of an agent', () => {
  test.each([
    ['1.9.90 (v1.9.90-abc)', {}, true],
    ['1.14.7 (v1.14.7-abc)', {}, true],
    ['1.15.0 (v1.15.0-abc)', {}, false],
    ['1.20.0-dev (v1.20.0-dev-abc)', {}, false],
    ['Stale status data', { 'host-routing': {}, 'cni-chaining': {} }, true],
    ['Stale status data', { routing: {}, 'cni-chaining': {} }, false],
  ])('is told by its version %j, else by the fields of its status %j', async (msg, more, braced) => {
    const { stdout } = await runWith(['endpoint', 'labels', '7'], {
      'GET /v1/endpoint/7/labels': LABELS,
      'GET /v1/healthz': health(msg, more),
    });
    expect(stdout).toBe(braced ? '{app web k8s}   Enabled\n' : 'k8s:app=web   Enabled\n');
  });

  test('that does not say it is the newest one', async () => {
    const { stdout, stderr } = await runWith(['endpoint', 'labels', '7'], {
      'GET /v1/endpoint/7/labels': LABELS,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'k8s:app=web   Enabled\n', stderr: '' });
  });

  test('is asked once, and a newer one is treated as the newest, which is said once', async () => {
    await using agent = await agentOf({
      'GET /v1/healthz': health('1.23.1 (v1.23.1-abc)'),
      'GET /v1/policy/selectors': { body: [{ selector: 'a', users: 1, identities: [1] }] },
      'GET /v1/ip': { body: [{ cidr: '10.0.0.1/32', identity: 1 }] },
      'GET /v1/identity/1': { body: { id: 1, labels: ['reserved:host'] } },
    });
    const { stdout, stderr } = await agent.run(['ip', 'list']);
    expect(stdout).toContain('reserved:host');
    expect(
      stderr.match(/Cilium 1\.23, which is newer than this program: it is treated as 1\.20/g),
    ).toHaveLength(1);
    expect(agent.seen.filter(({ call }) => call === 'GET /v1/healthz')).toHaveLength(1);
  });
});

test('status says too that an agent is newer', async () => {
  const { stdout, stderr } = await runWith(['status', '--brief'], { 'GET /v1/healthz': health('1.23.1') });
  expect({ stdout, stderr }).toEqual({
    stdout: 'OK\n',
    stderr: 'Note: the agent is of Cilium 1.23, which is newer than this program: it is treated as 1.20.\n',
  });
});

describe('forms of releases', () => {
  const endpoint = (option: string) => ({
    body: { id: 7, spec: { options: { [option]: 'Disabled' } }, status: { log: '{"b":1,"a":"<&>"}' } },
  });

  test('endpoint get of agents up to 1.16 writes out the JSON in strings', async () => {
    const old = await runWith(['endpoint', 'get', '7'], { 'GET /v1/endpoint/7': endpoint('ConntrackLocal') });
    expect(old.stdout).toContain('"log": {\n\t\t  "a": "\\u003c\\u0026\\u003e",\n\t\t  "b": 1\n\t\t}\n');
    const now = await runWith(['endpoint', 'get', '7'], { 'GET /v1/endpoint/7': endpoint('Debug') });
    expect(now.stdout).toContain('"log": "{\\"b\\":1,');
    const released = await runWith(['endpoint', 'get', '7'], {
      'GET /v1/endpoint/7': endpoint('ConntrackLocal'),
      'GET /v1/healthz': health('1.17.5'),
    });
    expect(released.stdout).toBe(now.stdout.replace('"Debug"', '"ConntrackLocal"'));
    const asked = await runWith(['endpoint', 'get', '7', '-o', 'json'], {
      'GET /v1/endpoint/7': endpoint('ConntrackLocal'),
    });
    expect(asked.stdout).toContain('"log": "{\\"b\\":1,');
  });

  test.each([
    [
      '1.9.0',
      ['Conntrack', 'NAT46', 'ConntrackLocal', 'DebugPolicy'],
      ['SourceIPVerification', 'DebugTagged'],
    ],
    ['1.10.0', ['Conntrack', 'NAT46', 'DebugPolicy'], ['SourceIPVerification', 'PolicyAccounting']],
    ['1.12.0', ['ConntrackAccounting', 'ConntrackLocal'], ['Conntrack', 'NAT46', 'SourceIPVerification']],
    ['1.13.90', ['ConntrackAccounting', 'ConntrackLocal'], ['Conntrack', 'SourceIPVerification']],
    ['1.14.0', ['ConntrackLocal', 'SourceIPVerification'], ['Conntrack', 'NAT46']],
    ['1.17.0', ['ConntrackLocal', 'PolicyAccounting', 'SourceIPVerification'], ['NAT46', 'DebugTagged']],
    ['1.18.0', ['SourceIPVerification', 'DebugTagged'], ['ConntrackLocal', 'PolicyAccounting']],
  ])('config --list-options of %s', async (version, has, hasNot) => {
    const { stdout } = await runWith(['config', '--list-options'], { 'GET /v1/healthz': health(version) });
    const names = stdout.split('\n').map((line) => line.split(' ')[0]);
    expect(names).toEqual(expect.arrayContaining(has));
    for (const name of hasNot) expect(names).not.toContain(name);
  });

  test.each([
    ['cilium_policy_v2_00007', '1.20.0-dev', '0'],
    ['cilium_policy_v2_00007', '1.19.4', 'unknown'],
    ['cilium_policy_v3_00007', '1.20.0-dev', 'unknown'],
    ['cilium_lxc', '1.18.9', '0'],
    ['cilium_lxc', '1.20.1', 'unknown'],
  ])('map list beside %s of %s counts a map without a cache as %s', async (name, version, count) => {
    const { stdout } = await runWith(['map', 'list'], {
      'GET /v1/map': { body: { maps: [{ path: `/sys/fs/bpf/tc/globals/${name}` }] } },
      'GET /v1/healthz': health(version),
    });
    expect(stdout.split('\n')[1]).toMatch(new RegExp(`^${name} +${count} +0 +false$`));
  });

  test('policy selectors without labels are listed in the agent’s order by agents up to 1.15', async () => {
    const body = [
      { selector: 'b', users: 1, identities: [1, 2] },
      { selector: 'a', users: 2 },
    ];
    const { stdout } = await runWith(['policy', 'selectors'], {
      'GET /v1/policy/selectors': { body },
      'GET /v1/healthz': health('1.14.0'),
    });
    expect(stdout).toBe(
      'SELECTOR   USERS   IDENTITIES\nb          1       1    \n                   2    \na          2       \n',
    );
  });
});

describe('policy import', () => {
  const rule = (item: object) => ({ stdin: JSON.stringify([{ endpointSelector: {}, ingress: [item] }]) });

  test.each([
    [{ icmps: [{ fields: [{ type: 8 }] }] }, '1.10.0', '"icmps"'],
    [{ toPorts: [{ ports: [{ port: '80', endPort: 90, protocol: 'TCP' }] }] }, '1.10.0', '"endPort"'],
    [{ toPorts: [{ ports: [{ port: '80', endPort: 90, protocol: 'TCP' }] }] }, '1.14.0', '"endPort"'],
  ])('refuses %j, which an agent of %s would drop', async (item, version, names) => {
    await using agent = await agentOf({ 'GET /v1/healthz': health(version), 'PUT /v1/policy': { body: {} } });
    const { code, stdout, stderr } = await agent.run(['policy', 'import', '-'], rule(item));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(names);
    expect(agent.seen.map(({ call }) => call)).toEqual(['GET /v1/healthz']);
  });

  test('sends what the release knows, in the form of its call', async () => {
    const answers = { 'GET /v1/healthz': health('1.10.0'), 'PUT /v1/policy': { body: { revision: 3 } } };
    const item = { fromEntities: ['world'] };
    const { stdout } = await runWith(['policy', 'import', '-'], answers, rule(item));
    expect(stdout).toBe('Revision: 3\n');
    const refused = await runWith(['policy', 'import', '--replace', '-'], answers, rule(item));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('agents of Cilium 1.10 do not replace rules');
    expect(refused.seen.map(({ call }) => call)).toEqual(['GET /v1/healthz']);
  });
});

test.each(['{n}', '{range[*]}{.id}{t}{end}', '{id}'])(
  'a word of no meaning in the jsonpath %s is refused',
  async (path) => {
    const { code, stdout, stderr } = await runWith(['endpoint', 'list', `-ojsonpath=${path}`], {
      'GET /v1/endpoint': { body: [{ id: 7 }] },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/unrecognized identifier (n|t|id)/);
  },
);

test('lists of labels are written to YAML with their fields', async () => {
  const body = [{ selector: 'a', users: 1, labels: [[{ key: 'k', source: 'unspec' }]] }];
  const { stdout } = await runWith(['policy', 'selectors', '-o', 'yaml'], {
    'GET /v1/policy/selectors': { body },
  });
  expect(stdout).toContain('- - key: k\n');
  expect(stdout).toContain('value: ""\n');
});

test('what a remote cluster does not say is null in YAML, not false', async () => {
  const cluster = { name: 'a', config: { required: true }, synced: { nodes: true } };
  const { stdout } = await runWith(['status', '-o', 'yaml'], {
    'GET /v1/healthz': health('1.20.0', { 'cluster-mesh': { clusters: [cluster] } }),
  });
  expect(stdout).toContain('serviceexportsenabled: null\n');
  expect(stdout).toContain('serviceexports: null\n');
  expect(stdout).toContain('endpointslices: null\n');
  expect(stdout).toContain('kvstoremesh: false\n');
});
