import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordedMessages, serveGrpc } from '../../helpers/grpc.ts';
import { startTestLab } from '../../helpers/lab.ts';
import { fixture, fixturePath, type RestCase } from '../../helpers/recordings.ts';
import { replay } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';
import { entriesText } from '../../policy/helpers.ts';
import { policySets, recordedEntries } from '../../policy/recorded.ts';
import { answer } from '../status/serve.ts';

const FLOWS = fixturePath('recordings/flows-1.20.jsonl');
const API = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: default}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: frontend}}]
      toPorts: [{ports: [{port: "8080", protocol: TCP}]}]
  ingressDeny:
    - fromEntities: [world]
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-'));
  writeFileSync(join(folder, 'api.yaml'), API);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** The recorded agent of the way to 1.17 copied a denial, which released 1.17 does not. */
const COPIED = 'deny port over allow l3';

describe('policy maps', () => {
  test.each(policySets().map((set) => [set.name, set] as const))(
    'prints the maps of "%s"',
    async (_, set) => {
      const rules = write('rules.json', set.rules);
      const state = write('state.json', {
        identities: set.identities,
        endpoints: set.endpoints.map(({ id, identity }) => ({ id, identity })),
      });
      const { stdout, stderr, code } = await run([
        'policy',
        'maps',
        '--rules',
        rules,
        '--state',
        state,
        '--release',
        '1.17',
        '--cidr-match-mode',
        'none',
        '-o',
        'json',
      ]);
      // A rule of empty sections gets a warning, one of DNS names a note.
      const text = JSON.stringify(set.rules);
      const said = text.includes('"ingress":[]')
        ? /has no effect/
        : text.includes('toFQDNs')
          ? /^Note: the addresses of DNS names are not known before pods have asked for them\.\n$/
          : set.name === COPIED
            ? /those of released 1\.17 differ for 1 of 6 endpoints/
            : /^$/;
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(said) });
      const maps = JSON.parse(stdout) as { endpoint: number; entries: Parameters<typeof entriesText>[0] }[];
      expect(maps.map(({ endpoint }) => endpoint)).toEqual(
        set.endpoints.map(({ id }) => id).sort((a, b) => a - b),
      );
      for (const endpoint of set.endpoints) {
        const ours = maps.find((each) => each.endpoint === endpoint.id)?.entries ?? [];
        expect(entriesText(ours)).toEqual(entriesText(recordedEntries(endpoint.mapEntries)));
        const order = ours.map((e) => [
          e.direction === 'egress' ? 1 : 0,
          e.identity,
          e.protocol,
          e.port,
          e.prefix,
        ]);
        expect(order).toEqual(
          order.toSorted((a, b) => a.map((n, i) => n - (b[i] ?? 0)).find((n) => n !== 0) ?? 0),
        );
      }
    },
  );

  test('takes several files, labels as objects, and prints a table', async () => {
    const state = write('state.json', {
      identities: [
        {
          id: 1000,
          labels: [{ source: 'k8s', key: 'app', value: 'api' }, 'k8s:io.kubernetes.pod.namespace=default'],
        },
        { id: 1001, labels: ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=default'] },
      ],
      endpoints: [{ id: 7, identity: 1000 }],
    });
    const more = write('more.json', [
      { endpointSelector: { matchLabels: { app: 'api' } }, egress: [{ toEntities: ['host'] }] },
    ]);
    const result = await run(['policy', 'maps', '--rules', join(folder, 'api.yaml'), more, '--state', state]);
    expect(result).toEqual({
      code: 0,
      stderr:
        'Note: the identity of world is not known.\nNote: the identity of host is not known.\nNote: the release is not known, 1.17 is assumed (--release).\n',
      stdout: [
        'ENDPOINT   DIRECTION   VERDICT   IDENTITY   PORT       PROXY   AUTH',
        '7          ingress     allow     1001       8080/TCP   -       -',
        '',
      ].join('\n'),
    });
  });

  test('computes those of the running agent', async () => {
    const cases = fixture<RestCase[]>('recordings/agent-1.20.json');
    await using server = await replay(
      cases.flatMap(({ exchanges }) => exchanges).filter(({ response }) => response.status === 200),
    );
    const { stdout, code } = await run(['policy', 'maps', '-H', `unix://${server.socket}`]);
    expect(code).toBe(0);
    expect(stdout).toContain('2622       ingress     allow     84327      8080/TCP');
    expect(stdout).toContain('2445       ingress     deny      16777222   ANY');
  });

  test.each([
    ['a file that is not there', 'nope.json', undefined, 'no such file'],
    ['no JSON', 'state.json', '{', 'not JSON'],
    ['a list', 'state.json', [], '"identities" and "endpoints"'],
    ['a wrong identity', 'state.json', { identities: [{ id: 'x', labels: [] }] }, 'identities[0].id'],
    ['wrong labels', 'state.json', { identities: [{ id: 1, labels: 'x' }] }, 'identities[0].labels'],
    [
      'an unknown identity',
      'state.json',
      { identities: [], endpoints: [{ id: 1, identity: 9 }] },
      'identity 9',
    ],
    ['no endpoints', 'state.json', { identities: [] }, 'no endpoints'],
  ])('says what is wrong with a state that is %s', async (_, name, content, message) => {
    const path = content === undefined ? join(folder, name) : write(name, content);
    const { stdout, stderr, code } = await run([
      'policy',
      'maps',
      '-r',
      join(folder, 'api.yaml'),
      '-s',
      path,
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(message);
  });
});

describe('policy simulate', () => {
  test('names the rule that allows', async () => {
    const { stdout, code } = await simulate('app=frontend', 'app=api', '8080');
    expect(code).toBe(0);
    expect(stdout).toContain('Verdict:  allowed');
    expect(stdout).toContain(
      `allowed by CiliumNetworkPolicy default/api (${folder}/api.yaml:7:7), ingress[0]`,
    );
  });

  test('says what is missing where nothing allows', async () => {
    const { stdout } = await simulate('app=frontend', 'app=api', '9090');
    expect(stdout).toContain('Verdict:  denied');
    expect(stdout).toContain(`${folder}/api.yaml:7:7: add port 9090/TCP to its toPorts`);
  });

  test('a denial wins', async () => {
    const { stdout } = await simulate('10.1.2.3', 'app=api', '8080');
    expect(stdout).toContain(
      `denied by CiliumNetworkPolicy default/api (${folder}/api.yaml:10:7), ingressDeny[0]`,
    );
    expect(stdout).toContain('deny rules take precedence over allow rules');
  });

  test('prints the same as JSON', async () => {
    const { stdout } = await simulate('app=frontend', 'app=api', 'TCP/8080', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'allowed',
      port: '8080/TCP',
      ingress: {
        reason: 'rule',
        rules: [{ name: 'api', part: 'ingress[0]', position: { line: 7, column: 7 } }],
      },
    });
  });

  test('does not guess: a DNS rule and an address without a name', async () => {
    const rules = write('fqdn.json', [
      {
        endpointSelector: { matchLabels: { app: 'web' } },
        egress: [{ toFQDNs: [{ matchName: 'a.example.com' }] }],
      },
    ]);
    const ask = (to: string) =>
      run(['policy', 'simulate', '-r', rules, '--from', 'app=web', '--to', to, '-p', '443']);
    expect((await ask('192.0.2.1')).stdout).toContain(
      'cannot be decided: the DNS name of the peer is not known',
    );
    expect((await ask('fqdn:a.example.com')).stdout).toContain('Verdict:  allowed');
    expect((await ask('fqdn:b.example.com')).stdout).toContain('Verdict:  denied');
  });

  test.each([
    ['cidr:192.0.2.0/24', 'world', 'allowed'],
    ['cidr:192.0.2.0/24', 'cluster', 'denied'],
    ['cidr:2001-db8--/32', 'world', 'allowed'],
    ['fqdn:a.example.com', 'cluster', 'denied'],
  ])('%s is outside of the cluster: towards the entity %s it is %s', async (to, entity, verdict) => {
    const state = write('state.json', {
      identities: [
        {
          id: 7,
          labels: [
            'k8s:app=web',
            'k8s:io.cilium.k8s.policy.cluster=lab',
            'k8s:io.kubernetes.pod.namespace=default',
          ],
        },
      ],
    });
    const rules = write('rules.json', [{ endpointSelector: {}, egress: [{ toEntities: [entity] }] }]);
    const { stdout } = await run([
      ...['policy', 'simulate', '--state', state, '-r', rules, '--from', 'app=web', '--to', to, '-p', '443'],
    ]);
    expect(stdout).toContain(`Verdict:  ${verdict}`);
  });

  test('finds pods and addresses of the running agent', async () => {
    const cases = fixture<RestCase[]>('recordings/agent-1.20.json');
    await using server = await replay(
      cases.flatMap(({ exchanges }) => exchanges).filter(({ response }) => response.status === 200),
    );
    const ask = (from: string, to: string) =>
      run(['policy', 'simulate', '-H', `unix://${server.socket}`, '--from', from, '--to', to, '-p', '8080']);
    expect((await ask('default/frontend-7d9', 'default/api-5c6')).stdout).toContain('Verdict:  allowed');
    expect((await ask('10.11.177.136', 'default/api-5c6')).stdout).toContain('Verdict:  denied');
    expect((await ask('default/none', 'default/api-5c6')).stderr).toContain('pod default/none is not known');
  });

  test.each([
    [['--from', 'a=b', '--to', 'c=d'], 'Missing --port'],
    [['--from', 'a=b', '--to', 'c=d', '-p', 'http'], '"http" is not a valid port'],
    [['--from', '???', '--to', 'c=d', '-p', '80'], '"???" does not name a peer'],
    [['--from', '4711', '--to', 'c=d', '-p', '80'], 'identity 4711 is not known'],
  ])('%j', async (argv, message) => {
    const { stderr, code } = await run(['policy', 'simulate', '-r', join(folder, 'api.yaml'), ...argv]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  function simulate(from: string, to: string, port: string, ...more: string[]) {
    const rules = join(folder, 'api.yaml');
    return run(['policy', 'simulate', '-r', rules, '--from', from, '--to', to, '-p', port, ...more]);
  }
});

describe('policy test', () => {
  const TESTS = `rules: api.yaml
tests:
  - {name: in, from: app=frontend, to: app=api, port: 8080, expect: allow}
  - {from: world, to: app=api, port: 8080/TCP, expect: deny}
`;

  test('passes', async () => {
    const result = await run(['policy', 'test', write('tests.yaml', TESTS)]);
    expect(result).toEqual({
      code: 0,
      stderr: '',
      stdout: 'ok      in\nok      world to app=api on 8080/TCP\n\n2 tests, 0 failed\n',
    });
  });

  test('fails with the place and the reason, also as JUnit', async () => {
    const path = write('tests.yaml', TESTS.replace('expect: deny', 'expect: allow'));
    const text = await run(['policy', 'test', path]);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(`${path}:4:5: expected allow, got deny`);
    const junit = await run(['policy', 'test', path, '-o', 'junit']);
    expect(junit.code).toBe(1);
    expect(junit.stdout).toContain(
      '<testsuite name="cilium policy test" tests="2" failures="1" errors="0" skipped="0">',
    );
  });

  test.each(['text', 'json', 'junit'])('%s carries no control byte of a hostile name', async (format) => {
    const evil = '\\u009b\\u202e\\e[2J\\r<&';
    const path = write(
      'evil.yaml',
      TESTS.replace('name: in', `name: "${evil}"`).replace('expect: allow', 'expect: deny'),
    );
    const { stdout, code } = await run(['policy', 'test', path, '-o', format]);
    expect(code).toBe(1);
    expect(stdout).toContain('[2J');
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
    if (format === 'junit') expect(stdout).toContain('name="&#x9b;&#x202e;\ufffd[2J&#xd;&lt;&amp;"');
  });

  test('--init writes what the rules allow and deny now', async () => {
    const rules = write(
      'now.yaml',
      `${API}  egress:\n    - toFQDNs: [{matchName: example.com}]\n      toPorts: [{ports: [{port: "443", protocol: TCP}]}]\n    - toCIDR: [203.0.113.0/24]\n`,
    );
    const { stdout, stderr } = await run(['policy', 'test', '--init', '-r', rules]);
    expect(stderr).toBe('');
    expect(stdout.split('tests:\n')[1]).toBe(
      [
        '  - { from: "app=frontend,io.kubernetes.pod.namespace=default", to: "app=api,io.kubernetes.pod.namespace=default", port: 8080/TCP, expect: allow }',
        '  - { from: world, to: "app=api,io.kubernetes.pod.namespace=default", port: 8080/TCP, expect: deny }',
        '  - { from: world, to: "app=api,io.kubernetes.pod.namespace=default", port: 443/TCP, expect: deny }',
        '  - { from: "app=api,io.kubernetes.pod.namespace=default", to: "fqdn:example.com", port: 443/TCP, expect: allow }',
        '  - { from: "app=api,io.kubernetes.pod.namespace=default", to: 203.0.113.0/24, port: 443/TCP, expect: allow }',
        '',
      ].join('\n'),
    );
    const result = await run(['policy', 'test', write('starter.yaml', stdout)]);
    expect([result.code, result.stdout]).toEqual([0, expect.stringContaining('5 tests, 0 failed')]);
  });

  test('--init into a file of another folder names the rules from there', async () => {
    const rules = write('moved.yaml', API);
    const folder = dirname(rules);
    mkdirSync(join(folder, 'below'), { recursive: true });
    const file = join(folder, 'below', 'tests.yaml');
    const argv = ['policy', 'test', '--init', '-r', 'moved.yaml'];
    const { stdout } = await run(argv, { cwd: folder, stdoutFile: file });
    expect(stdout).toContain('  - "../moved.yaml"\n');
    writeFileSync(file, stdout);
    expect((await run(['policy', 'test', file], { cwd: '/' })).stdout).toContain(' tests, 0 failed');
    expect((await run(argv, { cwd: folder })).stdout).toContain('  - moved.yaml\n');
  });

  test('--init asks the running agent', async () => {
    await using lab = await startTestLab({ scenario: 'shop' });
    const env = { CILIUM_SOCK: lab.lab.info.sockets.agent };
    const { stdout } = await run(['policy', 'test', '--init'], { env });
    expect(stdout).toContain('\nstate: agent\n');
    const result = await run(['policy', 'test', write('live.yaml', stdout)], { env });
    expect([result.code, result.stdout]).toEqual([0, expect.stringMatching(/\n\d{2,} tests, 0 failed\n$/)]);
  });

  test('without rules and without an agent --init writes an example that can be run', async () => {
    const { stdout, stderr } = await run(['policy', 'test', '--init'], { env: { CILIUM_SOCK: '/nowhere' } });
    expect(stderr).toBe('Note: no agent answers and there are no --rules, so this is an example.\n');
    const path = write('init.yaml', stdout);
    const result = await run(['policy', 'test', path, '--rules', join(folder, 'api.yaml')]);
    expect([result.code, result.stdout]).toEqual([0, expect.stringContaining('2 tests, 0 failed')]);
  });

  test.each([
    ['tests: []', 'no tests'],
    ['tests: [{from: a=b}]', 'must have the field "to"'],
    ['tests: [{from: a=b, to: c=d, port: 80, expect: maybe}]', 'expect must be allow, deny or unknown'],
    ['test: []', 'unknown field "test"'],
    ['rules: api.yaml\ntests: [{from: "??", to: c=d, port: 80, expect: deny}]', 'does not name a peer'],
  ])('%j', async (text, message) => {
    const { stderr, code } = await run(['policy', 'test', write('bad.yaml', text)]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe('policy replay', () => {
  test('groups what a candidate newly denies, and fails on it when asked', async () => {
    const argv = ['policy', 'replay', '--flows', FLOWS, '--candidate', join(folder, 'api.yaml')];
    const { stdout, code } = await run(argv);
    expect(code).toBe(0);
    expect(stdout).toContain('Newly denied: 5 flows');
    expect(stdout).toMatch(
      /5 +default app=frontend -> default app=api +9092\/TCP +ingress +CiliumNetworkPolicy default\/api/,
    );
    expect(stdout).toContain('7 not decided: no addresses');
    expect((await run([...argv, '--fail-on', 'newly-denied'])).code).toBe(1);
  });

  test('compares two sets of rules', async () => {
    const none = write('none.json', []);
    const argv = [
      'policy',
      'replay',
      '-f',
      FLOWS,
      '-c',
      join(folder, 'api.yaml'),
      '--current',
      none,
      '-o',
      'json',
    ];
    const report = JSON.parse((await run(argv)).stdout) as {
      changes: { change: string; destination: string }[];
    };
    expect(new Set(report.changes.map(({ change }) => change))).toEqual(new Set(['newly-denied']));
    expect(new Set(report.changes.map(({ destination }) => destination))).toEqual(
      new Set(['default app=api']),
    );
  });

  test.each([
    ['no JSON', '{"flow"'],
    ['text where an object is due', '{"flow":{"verdict":"FORWARDED","IP":"10.0.0.1"}}'],
    ['an object where labels are due', '{"flow":{"verdict":"FORWARDED","source":{"labels":{}}}}'],
    ['a port that is none', '{"verdict":"FORWARDED","l4":{"TCP":{"source_port":"x"}}}'],
  ])('says which line of a file of flows is %s', async (_what, line) => {
    const path = write('broken.jsonl', `{"flow":{}}\n${line}\n`);
    const { stderr, code } = await run(['policy', 'replay', '-f', path, '-c', join(folder, 'api.yaml')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path}:2: not a flow: proto: `);
    const given = await run(['policy', 'why', line, '--rules', join(folder, 'api.yaml')]);
    expect([given.code, given.stderr]).toEqual([1, expect.stringContaining('the argument: not a flow')]);
  });

  test('passes over names that are newer than this program, and says so once', async () => {
    const newer = '{"flow":{"verdict":"FORWARDED","of_tomorrow":{"a":1}}}\n';
    const path = write('newer.jsonl', newer + newer);
    const { stderr, code } = await run(['policy', 'replay', '-f', path, '-c', join(folder, 'api.yaml')]);
    expect(code).toBe(0);
    expect(
      stderr.match(/Warning: .*:1: .*of_tomorrow.*: names that this program does not know/g),
    ).toHaveLength(1);
  });
});

describe('policy suggest', () => {
  test('refuses a format that it does not write', async () => {
    const { stdout, stderr, code } = await run(['policy', 'suggest', '--flows', FLOWS, '-o', 'jsonpath={}']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('Allowed choices are yaml, json.');
  });

  test('writes valid policies that deny none of the flows', async () => {
    const { stdout, stderr, code } = await run(['policy', 'suggest', '--flows', FLOWS]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Replayed 456 flows against these policies: 0 newly denied/);
    const path = write('suggested.yaml', stdout);
    expect((await run(['policy', 'validate', path])).code).toBe(0);
    const again = await run(['policy', 'replay', '-f', FLOWS, '-c', path, '--fail-on', 'newly-denied']);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('Newly denied: none')]);
  });
});

describe('policy why', () => {
  test('the last drop', async () => {
    const { stdout, code } = await run([
      'policy',
      'why',
      '--last-drop',
      '-f',
      FLOWS,
      '-r',
      join(folder, 'api.yaml'),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('Seen:     DROPPED (POLICY_DENIED)');
    expect(stdout).toContain('Agree:    yes');
  });

  test('shows the fewest rules where the evaluator and the agent differ', async () => {
    const other = write('other.json', [
      { endpointSelector: { matchLabels: { app: 'frontend' } }, egress: [{ toEntities: ['all'] }] },
    ]);
    const closed = write('closed.json', [
      { endpointSelector: { matchLabels: { app: 'api' } }, ingress: [{}] },
    ]);
    const uuid = '8c578334-9d08-42b0-b1d5-c3bf713365fa';
    const { stdout } = await run(['policy', 'why', uuid, '-f', FLOWS, '-r', other, '-r', closed]);
    expect(stdout).toContain('Agent:    ingress allowed by directory:filename=l3l4.yaml');
    expect(stdout).toContain('Agree:    NO');
    expect(stdout.slice(stdout.indexOf('To reproduce'))).toContain('"any:app": "api"');
    expect(stdout.slice(stdout.indexOf('To reproduce'))).not.toContain('toEntities');
  });

  test('says when there is no such flow', async () => {
    const { stderr } = await run(['policy', 'why', 'db7dd9cc', '-f', FLOWS, '-r', join(folder, 'api.yaml')]);
    expect(stderr).toContain('has the UUID db7dd9cc');
  });

  test('a flow on the command line', async () => {
    const flow = JSON.stringify({
      verdict: 'FORWARDED',
      IP: { source: '10.0.0.1', destination: '10.0.0.2' },
      l4: { TCP: { source_port: 40000, destination_port: 8080, flags: { SYN: true } } },
      source: { labels: ['k8s:app=x', 'k8s:io.kubernetes.pod.namespace=default'] },
      destination: { labels: ['k8s:app=api', 'k8s:io.kubernetes.pod.namespace=default'] },
      traffic_direction: 'INGRESS',
      event_type: { type: 5 },
      ingress_allowed_by: [{ kind: 'CiliumNetworkPolicy', namespace: 'default', name: 'older' }],
    });
    const { stdout } = await run(['policy', 'why', flow, '-r', join(folder, 'api.yaml')]);
    expect(stdout).toContain('Agent:    ingress allowed by CiliumNetworkPolicy default/older');
    expect(stdout).toContain('Agree:    NO');
    expect(stdout).toContain('To reproduce with the fewest rules:');
  });
});

describe('flows of a Hubble server', () => {
  const GET_FLOWS = '/observer.Observer/GetFlows';

  test('are replayed when no file is given', async () => {
    await using server = await serveGrpc({
      [GET_FLOWS]: { messages: recordedMessages('getflows-300.grpc') },
    });
    const argv = ['policy', 'replay', '--server', server.address, '-c', join(folder, 'api.yaml')];
    const { stdout, code } = await run([...argv, '--last', '300']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\d+ flows, \d+ connections: \d+ allowed/);
    expect(server.seen.map(({ path }) => path)).toEqual([GET_FLOWS]);
  });

  test('are asked for the last drop, which a lab can explain', async () => {
    await using lab = await startTestLab();
    const { agent, hubble } = lab.lab.info.sockets;
    const argv = ['policy', 'why', '--last-drop', '--server', `unix://${hubble}`, '-H', `unix://${agent}`];
    const { stdout, stderr, code } = await run(argv);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Seen:     DROPPED (POLICY_DENIED)');
    expect(stdout).toContain('Agree:    yes');
  });
});

describe('policy cost and unused', () => {
  const IDENTITIES = [
    { id: 1000, labels: ['k8s:app=api', 'k8s:io.kubernetes.pod.namespace=default'] },
    { id: 1001, labels: ['k8s:app=frontend', 'k8s:io.kubernetes.pod.namespace=default'] },
  ];

  test('count entries per rule', async () => {
    const state = write('state.json', { identities: IDENTITIES, endpoints: [{ id: 7, identity: 1000 }] });
    const { stdout } = await run([
      'policy',
      'cost',
      '-r',
      join(folder, 'api.yaml'),
      '-s',
      state,
      '-o',
      'json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      entries: 2,
      rules: [{ entries: 1, alone: 1, endpoints: 1, identities: 1, rule: { name: 'api' } }],
      endpoints: [{ endpoint: 7, entries: 2 }],
    });
  });

  test('list rules that do nothing', async () => {
    const state = write('state.json', { identities: IDENTITIES, endpoints: [{ id: 7, identity: 1000 }] });
    const rules = write('rules.json', [
      { endpointSelector: { matchLabels: { app: 'nobody' } }, ingress: [{}] },
      {
        endpointSelector: { matchLabels: { app: 'api' } },
        ingress: [{ fromEndpoints: [{ matchLabels: { app: 'x' } }] }],
      },
      {
        endpointSelector: { matchLabels: { app: 'api' } },
        ingress: [{ fromEndpoints: [{ matchLabels: { app: 'frontend' } }] }],
      },
    ]);
    const { stdout } = await run([
      'policy',
      'unused',
      '-r',
      rules,
      join(folder, 'api.yaml'),
      '-s',
      state,
      '-o',
      'json',
    ]);
    const found = JSON.parse(stdout) as { reason: string; rule: { location: string } }[];
    expect(found.map(({ reason, rule }) => `${reason} ${rule.location.replace(folder, '')}`)).toEqual([
      'no-endpoint /rules.json:1:2',
      'no-peer /rules.json:1:132',
    ]);
    // With the identity of the world the rule about it shows in the maps.
    const whole = write('state.json', {
      identities: [...IDENTITIES, { id: 2, labels: ['reserved:world'] }],
      endpoints: [{ id: 7, identity: 1000 }],
    });
    const argv = ['policy', 'unused', '-r', rules, '-s', whole, '-o', 'json'];
    const again = await run([...argv, '--release', '1.17']);
    expect(again.stdout).not.toContain('covered');
  });

  test('name one of two rules that cover each other', async () => {
    const state = write('state.json', { identities: IDENTITIES, endpoints: [{ id: 7, identity: 1000 }] });
    const rule = (from: string, l7: object = {}) => ({
      endpointSelector: { matchLabels: { app: 'api' } },
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { app: from } }],
          toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], ...l7 }],
        },
      ],
    });
    const get = (path: string) => rule('frontend', { rules: { http: [{ method: 'GET', path }] } });
    const places = async (list: readonly object[]) => {
      const rules = write('pair.json', list);
      const { stdout } = await run(['policy', 'unused', '-r', rules, '-s', state, '-o', 'json']);
      const found = JSON.parse(stdout) as { reason: string; rule: { position: { column: number } } }[];
      return found.map(({ reason, rule: { position } }) => [reason, position.column]);
    };
    const second = JSON.stringify(rule('frontend')).length + 3;
    expect(await places([rule('frontend'), rule('frontend')])).toEqual([['covered', second]]);
    expect(await places([get('/a'), get('/a')])).toMatchObject([['covered', expect.any(Number)]]);
    expect(await places([get('/a'), get('/b')])).toEqual([]);
    // The map of an endpoint whose rules agents cannot merge holds other rules.
    const kafka = rule('frontend', { rules: { kafka: [{ topic: 't' }] } });
    expect(await places([get('/a'), get('/a'), kafka])).toEqual([]);
  });

  test('coverage does not know what holds where agents cannot merge the rules', async () => {
    const state = write('state.json', {
      identities: IDENTITIES,
      endpoints: [
        { id: 7, identity: 1000, pod: 'default/api' },
        { id: 8, identity: 1001, pod: 'default/frontend' },
      ],
    });
    const rule = (app: string, rules: object) => ({
      endpointSelector: { matchLabels: { app } },
      ingress: [{ toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules }] }],
    });
    const [http, kafka] = [{ http: [{ path: '/' }] }, { kafka: [{ topic: 't' }] }];
    const rules = write('mixed.json', [rule('api', http), rule('api', kafka), rule('frontend', http)]);
    const { stdout } = await run(['policy', 'coverage', '-r', rules, '-s', state, '-o', 'json']);
    const why = expect.stringContaining('HTTP and Kafka on one port: it keeps the policy that it had');
    expect(JSON.parse(stdout)).toEqual([
      { namespace: 'default', pod: 'api', ingress: 'unknown', egress: 'unknown', why },
      { namespace: 'default', pod: 'frontend', ingress: 'enforced', egress: 'open' },
    ]);
  });
});

describe('objects that rules refer to', () => {
  const POLICY = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
    - toCIDRSet: [{cidrGroupRef: partners}]
    - toCIDRSet: [{cidrGroupSelector: {matchLabels: {kind: bank}}}]
    - toServices: [{k8sService: {serviceName: pods, namespace: shop}}]
    - toServices: [{k8sServiceSelector: {selector: {matchLabels: {where: outside}}}}]
`;
  const OBJECTS = `
---
{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: partners}, spec: {externalCIDRs: [203.0.113.0/24]}}
---
{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: banks, labels: {kind: bank}}, spec: {externalCIDRs: [192.0.2.0/28]}}
---
{apiVersion: v1, kind: Service, metadata: {name: pods, namespace: shop}, spec: {selector: {app: api}}}
---
{apiVersion: v1, kind: Service, metadata: {name: far, namespace: shop, labels: {where: outside}}, spec: {}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: far, namespace: shop}, subsets: [{addresses: [{ip: 198.51.100.7}]}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: far-x, namespace: shop, labels: {kubernetes.io/service-name: far}}
endpoints: [{addresses: [198.51.100.8]}]
`;
  const ask = (rules: string, to: string, ...more: string[]) =>
    run([
      'policy',
      'simulate',
      '-r',
      rules,
      '-n',
      'shop',
      '--from',
      'app=web',
      '--to',
      to,
      '-p',
      '443',
      ...more,
    ]);

  test.each([
    ['203.0.113.9', 'allowed'],
    ['192.0.2.3', 'allowed'],
    ['192.0.2.77', 'denied'],
    ['app=api', 'allowed'],
    ['app=other', 'denied'],
    ['198.51.100.7', 'allowed'],
    ['198.51.100.8', 'allowed'],
    ['198.51.100.9', 'denied'],
  ])('CIDR groups and services stand beside the policies: %s is %s', async (to, verdict) => {
    const { stdout, stderr } = await ask(write('with.yaml', POLICY + OBJECTS), to);
    expect({ stderr, verdict: /Verdict: +(\w+)/.exec(stdout)?.[1] }).toEqual({ stderr: '', verdict });
  });

  test('a state document carries them too', async () => {
    const group = {
      kind: 'CiliumCIDRGroup',
      metadata: { name: 'partners' },
      spec: { externalCIDRs: ['203.0.113.0/24'] },
    };
    const rules = write('alone.yaml', POLICY);
    const state = (objects: unknown) => write('objects.json', { identities: [], objects });
    expect((await ask(rules, '203.0.113.9', '-s', state([group]))).stdout).toContain('Verdict:  allowed');
    expect((await ask(rules, '203.0.113.9')).stdout).toContain('the CIDR group partners is not known');
    expect((await ask(rules, '203.0.113.9', '-s', state([{ kind: 'Node' }]))).stderr).toContain(
      'objects[0].kind: expected CiliumCIDRGroup, Service, Endpoints, EndpointSlice, Pod or Namespace',
    );
  });

  test('whether pods accept their own node is a setting', async () => {
    const closed = write('closed.json', [
      { endpointSelector: { matchLabels: { app: 'web' } }, ingress: [{}] },
    ]);
    const words = ['policy', 'simulate', '-r', closed, '--from', 'host', '--to', 'app=web', '-p', '80'];
    expect((await run(words)).stdout).toContain('Verdict:  denied');
    const { stdout } = await run([...words, '--allow-localhost', 'always']);
    expect(stdout).toContain('connections from the node itself are always allowed');
  });
});

describe('files', () => {
  test('are read under the same rules by every verb', async () => {
    const where = join(folder, 'mixed');
    mkdirSync(where);
    writeFileSync(join(where, 'api.yaml'), API);
    writeFileSync(join(where, 'notes.txt'), 'not: [a policy');
    const errors = [];
    for (const words of [
      ['import', where],
      ['validate', where],
      ['simulate', '-r', where, '--from', 'app=a', '--to', 'app=b', '-p', '1'],
      ['replay', '-c', where, '-f', FLOWS],
    ]) {
      const { code, stderr } = await run(['policy', ...words]);
      errors.push([code, stderr.includes('notes.txt:1:')]);
    }
    expect(errors).toEqual([
      [1, true],
      [1, true],
      [1, true],
      [1, true],
    ]);
    const { stderr } = await run(['policy', 'test', join(folder, 'nothing.yaml')]);
    expect(stderr).toMatch(/^Error: cannot read tests: open .*nothing.yaml: no such file or directory\n/);
  });

  test('flows come from folders of captures too', async () => {
    const where = join(folder, 'captures');
    mkdirSync(where);
    copyFileSync(FLOWS, join(where, 'a.jsonl'));
    const ask = (flows: string) => run(['policy', 'replay', '-c', join(folder, 'api.yaml'), '-f', flows]);
    expect((await ask(where)).stdout).toBe((await ask(FLOWS)).stdout);
  });
});

describe('the state of an agent', () => {
  const simulate = 'policy simulate --state agent --from app=a --to app=b --port 80'.split(' ');
  const asked = async (path: string, status: number, body: unknown) => {
    const answers = { '/v1/identity': [], '/v1/endpoint': [], '/v1/policy': { policy: '[]' }, '/v1/ip': [] };
    await using agent = await replay([
      ...Object.entries(answers).flatMap(([other, value]) => (other === path ? [] : [answer(other, value)])),
      answer(path, body, status),
    ]);
    return await run(simulate, { env: { CILIUM_SOCK: agent.socket } });
  };

  test('goes without an address list that the agent does not keep', async () => {
    const body = { code: 404, message: 'path /v1/ip was not found' };
    expect((await asked('/v1/ip', 404, body)).stderr).not.toContain('/ip');
  });

  test('is not evaluated when its rules are cut short', async () => {
    const result = await asked('/v1/policy', 200, { policy: '[{"endpointSelector": {' });
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('not JSON');
  });

  test.each(['/v1/ip', '/v1/config'])('is not evaluated when %s fails', async (path) => {
    const result = await asked(path, 500, 'the store is closed');
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('the store is closed');
  });
});
