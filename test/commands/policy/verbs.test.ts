import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { startTestLab } from '../../helpers/lab.ts';
import { fixture, fixturePath, type RestCase, type RestExchange } from '../../helpers/recordings.ts';
import { replay } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';

function answer(path: string, body: unknown, status = 200, method = 'GET'): RestExchange {
  return {
    request: { method, path },
    response: { status, contentType: 'application/json', body: JSON.stringify(body) },
  };
}

async function ask(argv: string[], exchanges: RestExchange[], options: { nowMs?: number } = {}) {
  await using server = await replay(exchanges);
  const result = await run(argv, { env: { CILIUM_SOCK: server.socket }, ...options });
  return { ...result, seen: server.seen.map(({ method, path, body }) => ({ method, path, body })) };
}

describe('policy get', () => {
  const entries = fixture<RestCase[]>('recordings/agent-1.20.json').find(
    ({ argv }) => argv.join(' ') === 'policy get',
  )?.exchanges;

  test('labels are sent to agents that choose by them', async () => {
    const { seen } = await ask(
      ['policy', 'get', 'k8s:a=b', 'c'],
      [answer('/v1/policy', { policy: '[]', revision: 1 })],
    );
    expect(seen).toEqual([{ method: 'GET', path: '/v1/policy', body: '["k8s:a=b","c"]\n' }]);
  });

  test('newer agents ignore them and send everything, which is said', async () => {
    const all = await ask(['policy', 'get'], entries ?? []);
    const { stdout, stderr, code } = await ask(['policy', 'get', 'nosuch=label'], entries ?? []);
    expect({ stdout, code }).toEqual({ stdout: all.stdout, code: 0 });
    expect(stderr).toBe(
      'Note: this agent ignores labels and sends all rules. --matching chooses among them.\n',
    );
  });

  test('--matching chooses among the rules of newer agents', async () => {
    const { stdout, stderr, code } = await ask(
      ['policy', 'get', '--matching', 'filename=l3l4.yaml'],
      entries ?? [],
    );
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const chosen: { Labels: { value: string }[] }[] = JSON.parse(
      stdout.slice(0, stdout.lastIndexOf('Revision')),
    );
    expect(chosen.map(({ Labels }) => Labels[0]?.value)).toEqual(['l3l4.yaml']);
    expect(stdout.endsWith(']\nRevision: 4\n')).toBe(true);
  });

  test('no rule with the labels is an error, as with older agents', async () => {
    const { stdout, stderr, code } = await ask(
      ['policy', 'get', '--matching', 'k8s:filename=l3l4.yaml'],
      entries ?? [],
    );
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('[GET /policy][404] getPolicyNotFound');
  });
});

describe('policy delete', () => {
  const rule = (name: string) => ({
    endpointSelector: { matchLabels: { 'any:app': name } },
    ingress: [{ fromEntities: ['host'] }],
    labels: [{ key: 'name', value: name, source: 'unspec' }],
    description: `about ${name}`,
  });
  const held = answer('/v1/policy', { policy: JSON.stringify([rule('one'), rule('two')]), revision: 2 });
  const gone = answer('/v1/policy', { policy: '[]', revision: 3 }, 200, 'DELETE');
  const sent = (body: string) => ({ method: 'DELETE', path: '/v1/policy', body });

  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** Runs the verb with a state folder of its own; `saved` are the undo files that it leaves. */
  async function remove(argv: string[], exchanges: RestExchange[], typed?: readonly string[]) {
    const state = mkdtempSync(join(tmpdir(), 'undo-'));
    folders.push(state);
    await using server = await replay(exchanges);
    const result = await run(['policy', 'delete', ...argv], {
      env: { CILIUM_SOCK: server.socket, XDG_STATE_HOME: state },
      cwd: state,
      ...(typed && { columns: 100, typed }),
    });
    const folder = join(state, 'cilium-toolkit');
    const saved = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
    const writes = server.seen
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path, body }) => ({ method, path, body }));
    return { ...result, state, saved, writes };
  }

  test('--all sends an empty list of labels, and a script sees what the reference prints', async () => {
    const { code, stdout, stderr, writes } = await remove(['--all'], [held, gone]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'Revision: 3\n', stderr: '' });
    expect(writes).toEqual([sent('[]\n')]);
  });

  // differs: policy-delete
  test('what goes is recorded, and policy import brings it back', async () => {
    const { saved } = await remove(['unspec:name=two'], [held, gone]);
    expect(saved).toHaveLength(1);
    expect(JSON.parse(readFileSync(saved[0] ?? '', 'utf8'))).toEqual([rule('two')]);
    expect(statSync(saved[0] ?? '').mode & 0o777).toBe(0o600);
    const put = answer('/v1/policy?replace=false', { policy: '[]', revision: 4 }, 200, 'PUT');
    const { stdout, seen } = await ask(['policy', 'import', saved[0] ?? ''], [put]);
    expect(stdout).toBe('Revision: 4\n');
    expect(JSON.parse(JSON.parse(seen.at(-1)?.body ?? ''))).toMatchObject([rule('two')]);
  });

  test('in a terminal --all shows what goes and asks', async () => {
    const no = await remove(['--all'], [held, gone], ['n']);
    expect(no.stderr).toContain('unspec:name=one  about one\nunspec:name=two  about two\n');
    expect(no.stderr).toContain('This will delete all 2 policy rules. Continue? [y/N] ');
    expect(no.stderr).toContain('Error: nothing was changed');
    expect([no.code, no.stdout, no.writes, no.saved]).toEqual([1, '', [], []]);
    const yes = await remove(['--all'], [held, gone], ['y']);
    expect(yes.stdout).toBe('Revision: 3\n');
    expect(yes.stderr).toContain(`To restore the rules: cilium policy import ${yes.saved[0]}\n`);
    const sure = await remove(['--all', '--yes'], [held, gone], []);
    expect(sure.writes).toEqual([sent('[]\n')]);
  });

  test('--undo-file says where, --dry-run what', async () => {
    const { state, saved, stderr } = await remove(['--all', '--undo-file', 'mine.json'], [held, gone]);
    expect([saved, stderr]).toEqual([[], '']);
    expect(JSON.parse(readFileSync(join(state, 'mine.json'), 'utf8'))).toHaveLength(2);
    const dry = await remove(['unspec:name=one', '--dry-run'], [held]);
    expect([dry.stdout, dry.writes, dry.saved]).toEqual([
      'unspec:name=one  about one\nWould delete 1 policy rules.\n',
      [],
      [],
    ]);
    const lost = await remove(['--all', '--undo-file', 'no/such/folder.json'], [held, gone]);
    expect([lost.code, lost.writes]).toEqual([1, []]);
    expect(lost.stderr).toContain('Nothing was deleted. Choose another file with --undo-file.');
    // Room for the file, and none for what is written beside it first.
    const name = `${'long'.repeat(63)}`;
    const full = await remove(['--all', '--undo-file', name], [held, gone]);
    expect([full.code, full.writes, existsSync(join(full.state, name))]).toEqual([1, [], false]);
  });

  test('nothing is left behind when the agent refuses', async () => {
    const refused = answer('/v1/policy', 'policy not found', 500, 'DELETE');
    const { code, stderr, saved } = await remove(['unspec:name=one'], [held, refused]);
    expect([code, saved]).toEqual([1, []]);
    expect(stderr).toContain('[DELETE /policy][500] deletePolicyFailure "policy not found"');
  });

  test('a lab keeps what is deleted in its own folder', async () => {
    await using lab = await startTestLab();
    const { agent } = lab.lab.info.sockets;
    const env = { CILIUM_SOCK: agent, CILIUM_LAB: dirname(agent) };
    const { code } = await run(['policy', 'delete', '--all'], { env });
    expect([code, readdirSync(join(dirname(agent), 'undo')).length]).toEqual([0, 1]);
  });

  test('an agent that does not tell its rules is not in the way of a script', async () => {
    const { stdout, saved } = await remove(['--all'], [gone]);
    expect([stdout, saved]).toEqual(['Revision: 3\n', []]);
  });

  // differs: policy-delete-all
  test('labels and --all contradict each other', async () => {
    const { code, seen } = await ask(['policy', 'delete', '--all', 'a=b'], []);
    expect({ code, seen }).toEqual({ code: 1, seen: [] });
  });

  test('an agent without DELETE /policy is told in one sentence', async () => {
    const refused = answer(
      '/v1/policy',
      { code: 405, message: 'method DELETE is not allowed' },
      405,
      'DELETE',
    );
    const { code, stderr } = await ask(['policy', 'delete', '--all'], [refused]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: this agent no longer deletes policies through its API/);
    expect(stderr).toContain('kubectl delete cnp');
  });
});

describe('policy selectors', () => {
  const label = (source: string, key: string, value: string) => ({ source, key, value });
  const policy = (namespace: string, name: string) => [
    label('k8s', 'io.cilium.k8s.policy.namespace', namespace),
    label('k8s', 'io.cilium.k8s.policy.name', name),
  ];

  test('the labels column is the policy, or all labels with -v', async () => {
    const one = { selector: 'b', users: 1, identities: [2], labels: policy('shop', 'p') };
    const rows = [answer('/v1/policy/selectors', [one, { selector: 'a', users: 0, identities: [] }])];
    expect((await ask(['policy', 'selectors'], rows)).stdout).toBe(
      'SELECTOR   LABELS   USERS   IDENTITIES\n' +
        'a                   0       \n' +
        'b          shop/p   1       2    \n',
    );
    expect((await ask(['policy', 'selectors', '-v'], rows)).stdout).toContain(
      '[k8s:io.cilium.k8s.policy.name=p k8s:io.cilium.k8s.policy.namespace=shop]',
    );
  });

  test('agents may send the labels of several rules', async () => {
    const one = { selector: 'a', users: 2, identities: [], labels: [policy('x', 'p'), policy('y', 'q')] };
    const { stdout } = await ask(
      ['policy', 'subject-selectors'],
      [answer('/v1/policy/subject-selectors', [one])],
    );
    expect(stdout).toContain('x/p,y/q');
  });

  test('-v shows the labels of several rules in order, each as the agent sends them', async () => {
    const label = (key: string, value: string) => ({ source: 'k8s', key, value });
    const labels = [
      [label('b', '1')],
      [label('z', ''), label('a', '2')],
      [label('a', '2'), label('b', '1')],
      [label('a', '2')],
      [label('a', '1')],
    ];
    const rows = [answer('/v1/policy/selectors', [{ selector: 'a', users: 1, identities: [], labels }])];
    expect((await ask(['policy', 'selectors', '-v'], rows)).stdout).toContain(
      'a          [k8s:a=1], [k8s:a=2], [k8s:a=2 k8s:b=1], [k8s:b=1], [k8s:z k8s:a=2]',
    );
  });

  test('older agents have no subject selectors', async () => {
    const { code, stderr } = await ask(['policy', 'subject-selectors'], []);
    expect(code).toBe(1);
    expect(stderr).toContain('they came with 1.20');
  });
});

describe('policy wait', () => {
  const endpoint = (state: string | undefined, revision?: number) => ({
    id: 1,
    status: {
      ...(state && { state }),
      ...(revision !== undefined && { policy: { realized: { 'policy-revision': revision } } }),
    },
  });

  test('progress is refreshed on stdout until all are ready', async () => {
    const { code, stdout } = await ask(
      ['policy', 'wait', '5'],
      [
        answer('/v1/endpoint', [endpoint('ready', 5), endpoint('regenerating', 4)]),
        answer('/v1/endpoint', [endpoint('ready', 5), endpoint('ready', 6)]),
      ],
    );
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '\rWaiting for endpoints to run policy revision 5: 1/2              \n',
    });
  });

  test.each([
    [
      'failed ones end it early',
      endpoint('not-ready', 4),
      ['--fail-wait-time', '3'],
      '1 endpoints have failed regeneration after 3.003s',
    ],
    [
      'an endpoint without a policy has failed',
      endpoint('ready'),
      ['--fail-wait-time', '0'],
      '1 endpoints have failed regeneration after 1.001s',
    ],
    [
      'slow ones end it late',
      endpoint('regenerating', 4),
      ['--max-wait-time', '5'],
      '1 endpoints still not ready after 5.005s (0 failed)',
    ],
  ])('%s', async (_, one, flags, message) => {
    const { code, stderr } = await ask(['policy', 'wait', '5', ...flags], [answer('/v1/endpoint', [one])]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Error: \n${message}\n\n` });
  });

  test('a revision is a number', async () => {
    const { code, stderr } = await ask(['policy', 'wait', 'soon'], []);
    expect(code).toBe(1);
    expect(stderr).toContain("invalid revision 'soon'");
  });
});

describe('policy trace', () => {
  const labels = ['k8s:app=a'];
  const argv = ['policy', 'trace', '-s', 'k8s:app=a', '-d', 'k8s:app=b,k8s:x=y', '--dport', '80/tcp'];

  test('an agent of 1.9 is asked and its log printed', async () => {
    const resolve = answer('/v1/policy/resolve', { log: 'Resolving\n', verdict: 'allowed' });
    const { code, stdout, seen } = await ask(argv, [resolve]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${'-'.repeat(64)}\nResolving\n\nFinal verdict: ALLOWED\n`,
    });
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toEqual({
      from: { labels },
      to: { dports: [{ port: 80, protocol: 'TCP' }], labels: ['k8s:app=b', 'k8s:x=y'] },
    });
  });

  // differs: policy-trace-flags
  test('without a port, agents up to 1.11 are asked about all', async () => {
    const resolve = answer('/v1/policy/resolve', { log: 'Resolving\n', verdict: 'denied' });
    const { seen } = await ask(['policy', 'trace', '-s', 'a', '-d', 'b'], [resolve]);
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toEqual({
      from: { labels: ['a'] },
      to: { dports: null, labels: ['b'] },
    });
  });

  test('agents from 1.12 on need a port, and their command line says first that the verb is on its way out', async () => {
    const health = answer('/v1/healthz', { cilium: { state: 'Ok', msg: '1.14.2 (v1.14.2-a6748946)' } });
    const { code, stdout, stderr } = await ask(['policy', 'trace', '-s', 'a', '-d', 'b'], [health]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Command "trace" is deprecated, .* https:\/\/app\.networkpolicy\.io\n\nVerifies if the source .*\nUsage:\n {2}cilium policy trace /s,
    );
    expect(stderr).toContain('Missing destination port/proto');
  });

  // differs: policy-trace-output
  test('-o of agents from 1.12 on is JSON alone', async () => {
    const health = answer('/v1/healthz', { cilium: { state: 'Ok', msg: '1.14.2 (v1.14.2-a6748946)' } });
    const resolve = answer('/v1/policy/resolve', { log: 'Resolving\n', verdict: 'allowed' });
    const { stdout } = await ask([...argv, '-o', 'json'], [health, resolve]);
    expect(JSON.parse(stdout)).toEqual({ Payload: { log: 'Resolving\n', verdict: 'allowed' } });
  });

  // differs: policy-trace-pod
  test('the labels of a pod are those of its endpoint', async () => {
    const endpoint = answer('/v1/endpoint/pod-name:shop%2Fweb', {
      id: 7,
      status: { identity: { id: 9, labels: ['k8s:app=web'] } },
    });
    const resolve = answer('/v1/policy/resolve', { log: '', verdict: 'allowed' });
    const words = ['policy', 'trace', '--src-k8s-pod', 'shop:web', '-d', 'k8s:app=b', '--dport', '80/tcp'];
    const { seen } = await ask(words, [endpoint, resolve]);
    expect(JSON.parse(seen.at(-1)?.body ?? '')).toMatchObject({ from: { labels: ['k8s:app=web'] } });
  });

  test('newer agents are answered with what replaced it', async () => {
    const { code, stderr } = await ask(argv, []);
    expect(code).toBe(1);
    expect(stderr).toContain('policy simulate');
  });

  test.each([
    [['policy', 'trace', '-d', 'a', '--dport', '80'], 'Missing source argument'],
    [['policy', 'trace', '-s', 'a', '--dport', '80'], 'Missing destination argument'],
    [['policy', 'trace', '-s', 'a', '-d', 'b', '--dport', '80/foo'], 'invalid protocol "FOO"'],
  ])('%j is refused', async (words, message) => {
    const { code, stderr } = await ask(words, []);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe('policy validate', () => {
  function folder(files: Record<string, string>): string {
    const root = mkdtempSync(join(tmpdir(), 'policies-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return root;
  }
  const good = '[{"endpointSelector": {}, "ingress": [{}]}]';
  const bad = '[{"endpointSelector": {},\n  "ingres": []}]';

  test('a folder is read deep, plain files first, without .git', async () => {
    const root = folder({
      'b.json': good,
      'a/x.json': bad,
      'a/y.json': bad,
      '.git/z.json': 'no',
      'c.yaml': good,
    });
    const { code, stdout } = await run(['policy', 'validate', '-o', 'json', root]);
    const report: { files: number; rules: number; findings: { file: string; line: number }[] } =
      JSON.parse(stdout);
    expect({ code, files: report.files, rules: report.rules }).toEqual({ code: 1, files: 4, rules: 4 });
    expect(report.findings.filter((f) => f.line === 2).map(({ file }) => file.slice(root.length))).toEqual([
      '/a/x.json',
      '/a/y.json',
    ]);
  });

  test('a mounted ConfigMap is read once, and links to folders are not followed', async () => {
    const root = folder({ '..2026_01_01/a.json': bad, 'sub/b.json': good });
    symlinkSync('..2026_01_01', join(root, '..data'));
    symlinkSync('..data/a.json', join(root, 'a.json'));
    symlinkSync('.', join(root, 'again'));
    const { stdout } = await run(['policy', 'validate', '-o', 'json', root]);
    expect(JSON.parse(stdout)).toMatchObject({ files: 2, rules: 2 });
  });

  test('what is no file is named, not waited for', async () => {
    const root = folder({ 'a.json': good });
    execFileSync('mkfifo', [join(root, 'pipe.yaml')]);
    symlinkSync('/nowhere', join(root, 'z.json'));
    const piped = await run(['policy', 'validate', '.'], { cwd: root });
    expect(piped.stderr).toContain('pipe.yaml is not a file or a directory');
    rmSync(join(root, 'pipe.yaml'));
    const gone = await run(['policy', 'validate', '.'], { cwd: root });
    expect(gone.stderr).toContain('stat z.json: no such file or directory');
  });

  test('a folder where a file is expected is an error of its own', async () => {
    const root = folder({ 'a.json': good });
    const { stderr, code } = await run(['policy', 'maps', '--state', root, '--rules', root]);
    expect({ stderr, code }).toEqual({
      stderr: `Error: cannot read the state: open ${root}: is a directory\n`,
      code: 1,
    });
  });

  test('SARIF and JUnit name the place', async () => {
    const root = folder({ 'a.json': bad });
    const sarif = JSON.parse((await run(['policy', 'validate', '-o', 'sarif', root])).stdout);
    expect(sarif.runs[0].results[0]).toMatchObject({
      ruleId: 'unknown-field',
      level: 'error',
      locations: [{ physicalLocation: { region: { startLine: 2, startColumn: 3 } } }],
    });
    const junit = await run(['policy', 'validate', '-o', 'junit', root]);
    expect(junit.code).toBe(1);
    expect(junit.stdout).toContain('tests="1" failures="1"');
    expect(junit.stdout).toContain(
      'a.json:2:3: unknown field &quot;ingres&quot;\nDid you mean &quot;ingress&quot;?',
    );
  });

  test.each(['json', 'sarif', 'junit'])('%s carries no control byte of a hostile name', async (format) => {
    const evil = 'in\u001b[2J\u009b\u202e\ufffe\r';
    const root = folder({
      'a\u202e\u009b.json': JSON.stringify([{ endpointSelector: {}, [evil]: [], description: evil }]),
    });
    const { stdout, stderr, code } = await run(['policy', 'validate', '-o', format, root]);
    expect(code).toBe(1);
    expect(stdout).toContain('unknown field');
    expect(`${stdout}${stderr}`).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
    );
    if (format === 'junit') expect(stdout).toContain('in\ufffd[2J&#x9b;&#x202e;\ufffd');
  });

  test('of several paths each gets its say', async () => {
    const root = folder({ 'a.json': good, 'b.json': bad });
    const { code, stdout, stderr } = await run(['policy', 'validate', 'a.json', 'b.json'], { cwd: root });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'All policy elements in a.json are valid.\n' });
    expect(stderr).toBe(
      'Validation of policy b.json has failed: 1 error\nb.json:2:3: error: unknown field "ingres"\n    Did you mean "ingress"?\n',
    );
  });

  test.each([
    [
      'a field that there is not',
      'field.yaml',
      'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {endpointSelector: {}, ingres: []}\n',
      '4:30: error: unknown field "ingres"',
    ],
    ['YAML that is none', 'syntax.yaml', 'a: [\n', '2:1: error: malformed policy'],
    ['JSON that is none', 'syntax.json', '{"a": ', '1:6: error: malformed policy'],
    [
      'a value out of range',
      'port.json',
      '[{"endpointSelector":{},"ingress":[{"toPorts":[{"ports":[{"port":"99999"}]}]}]}]',
      '1:59: error: Unable to parse port',
    ],
    [
      'a kind that is no policy',
      'kind.yaml',
      'kind: Foo\n',
      '1:1: warning: kind "Foo" is not a network policy',
    ],
    ['another encoding', 'utf16.yaml', '\ufeffa'.split('').join('\0'), '1:1: error: '],
    ['a file that is not there', undefined, '', '1:1: error: stat '],
  ])('says of %s its file, line and column', async (_, name, text, expected) => {
    const root = folder({ 'fine.json': '[]', ...(name !== undefined && { [name]: text }) });
    const [path, other] = [join(root, name ?? 'nowhere.yaml'), join(root, 'fine.json')];
    for (const paths of [[path], [path, other]]) {
      const { stderr } = await run(['policy', 'validate', ...paths]);
      expect(stderr.split('\n').find((line) => line.startsWith(`${path}:`))).toContain(`${path}:${expected}`);
    }
    if (name === undefined) return;
    const { stderr } = await run(['policy', 'validate', '-'], { stdin: text });
    expect(stderr).toContain(`<stdin>:${expected}`);
  });

  test('--live checks the rules that the agent holds', async () => {
    const held = [answer('/v1/policy', { policy: bad, revision: 1 })];
    const { code, stderr } = await ask(['policy', 'validate', '--live'], held);
    expect(code).toBe(1);
    expect(stderr).toContain('agent.json:2:3');
    const ok = await ask(
      ['policy', 'validate', '--live'],
      [answer('/v1/policy', { policy: good, revision: 1 })],
    );
    expect(ok).toMatchObject({ code: 0, stdout: 'All policy elements in the agent are valid.\n' });
  });

  test.each([
    ['1.10.5', 1, 'Cilium 1.10 does not know "icmps"'],
    ['1.17.3', 0, ''],
  ])('--live checks for the release of the agent: %s', async (version, wanted, says) => {
    const rules = [{ endpointSelector: {}, ingress: [{ icmps: [{ fields: [{ type: 8 }] }] }] }];
    const held = [
      answer('/v1/policy', { policy: JSON.stringify(rules), revision: 1 }),
      answer('/v1/healthz', { cilium: { state: 'Ok', msg: version } }),
    ];
    const { code, stderr } = await ask(['policy', 'validate', '--live'], held);
    expect(code).toBe(wanted);
    expect(stderr).toContain(says);
  });

  test('-v=false is quiet, --print shows the canonical form', async () => {
    const path = fixturePath('recordings/pol/dir/b.json');
    expect(await run(['policy', 'validate', '-v=false', path])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await run(['policy', 'validate', '-v=false', '--print', path])).stdout).toMatch(
      /^\[\n {2}\{\n[\s\S]*\n\]$/,
    );
  });

  // differs: policy-size
  test('a file may be larger than 1 MiB, and is refused above 64', async () => {
    const root = folder({ 'a.json': good + ' '.repeat(2 << 20), 'b.json': '' });
    expect((await run(['policy', 'validate', join(root, 'a.json')])).code).toBe(0);
    truncateSync(join(root, 'b.json'), (64 << 20) + 1);
    const { stderr, code } = await run(['policy', 'validate', join(root, 'b.json')]);
    expect(code).toBe(1);
    expect(stderr).toContain('is larger than 64 MiB');
  });

  // differs: policy-nodes
  test('rules about nodes are checked like all others', async () => {
    const rule = (peers: object) => JSON.stringify([{ endpointSelector: {}, ingress: [peers] }]);
    const root = folder({
      'good.json': rule({ fromNodes: [{ matchLabels: { a: 'b' } }] }),
      'bad.json': rule({ fromNodes: [{ matchLabel: {} }] }),
    });
    const good = await run(['policy', 'validate', join(root, 'good.json')]);
    expect([good.code, good.stdout]).toEqual([0, expect.not.stringContaining('skipped')]);
    const bad = await run(['policy', 'validate', join(root, 'bad.json')]);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('Did you mean "matchLabels"?')]);
  });

  test('control bytes of a file do not reach the terminal', async () => {
    const root = folder({ 'a.json': '[{"endpointSelector": {}, "\\u001b[31m": 1}]' });
    const { stderr } = await run(['policy', 'validate', root]);
    expect(stderr).not.toContain('\u001b');
  });
});
