import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { labEnvironment } from '../../src/lab/environment.ts';
import { shippedScenarios } from '../../src/lab/scenario/load.ts';
import { startTestLab } from '../helpers/lab.ts';
import { privateFolder, runBuilt } from '../helpers/lab-process.ts';
import { READERS } from '../helpers/readers.ts';
import { type RunOptions, run } from '../helpers/run.ts';

const inRuntime = (path: string, more: Record<string, string> = {}): RunOptions => ({
  env: { XDG_RUNTIME_DIR: path, PATH: process.env.PATH ?? '', ...more },
  nowMs: Date.now(),
});

function exportsOf(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => /^export (\w+)=(.*)$/.exec(line)?.slice(1) ?? [line, '']),
  );
}

test('a folder of labs that cannot be read is named', async () => {
  using folder = privateFolder();
  writeFileSync(join(folder.path, 'cilium-lab'), '');
  const { stderr, code } = await runBuilt(['lab', 'status'], inRuntime(folder.path));
  expect({ stderr, code }).toEqual({
    stderr: `Error: cannot look for labs in ${join(folder.path, 'cilium-lab')}: ENOTDIR\nLabs belong to the user who started them. XDG_RUNTIME_DIR names the folder that holds yours.\n`,
    code: 1,
  });
});

test.each([
  ['another user owns', {}, 0o600, true],
  ['another user can write', {}, 0o622, false],
  ['names all processes at once', { pid: -1 }, 0o600, false],
])(
  'a note of a lab that %s is none: nothing is stopped, removed or exported',
  async (_what, more, mode, isTheirs) => {
    if (isTheirs && process.geteuid?.() !== 0) return;
    using folder = privateFolder();
    const dir = join(folder.path, 'cilium-lab', 'evil');
    mkdirSync(dir, { recursive: true });
    const sleeper = spawn('sleep', ['600']);
    const note = join(dir, 'lab.json');
    const sockets = { agent: join(dir, 'agent.sock') };
    const info = {
      name: 'evil',
      dir: folder.path,
      pid: sleeper.pid,
      pidStart: '',
      sockets,
      startedAt: 'now',
    };
    writeFileSync(note, JSON.stringify({ ...info, temporary: true, ...more }));
    chmodSync(note, mode);
    if (isTheirs) chownSync(note, 1, 1);
    const options = inRuntime(folder.path, { CILIUM_LAB: dir });
    expect(await run(['lab', 'env'], options)).toMatchObject({ stdout: '', code: 1 });
    for (const words of [['--all'], ['--name', 'evil'], ['--dir', dir], []])
      expect((await run(['lab', 'stop', ...words], options)).stderr).toBe('No lab is running.\n');
    expect([existsSync(note), sleeper.exitCode, sleeper.signalCode]).toEqual([true, null, null]);
    sleeper.kill();
  },
);

test('a lab is started, used, shown and stopped', async () => {
  using folder = privateFolder();
  const options = inRuntime(folder.path);
  const none = await runBuilt(['lab', 'status'], options);
  expect(none).toEqual({
    stdout: '',
    stderr: 'No lab is running. Start one with: cilium lab start\n',
    code: 1,
  });
  const started = await runBuilt(['lab', 'start'], options);
  expect(started.code).toBe(0);
  expect(started.stderr).toMatch(/^Lab default plays scenario beginners-guide with every path of the agents/);
  const env = exportsOf(started.stdout);
  expect(Object.keys(env)).toEqual([
    'CILIUM_LAB',
    'CILIUM_SOCK',
    'CILIUM_HEALTH_SOCK',
    'CILIUM_MONITOR_SOCK',
    'CILIUM_SHELL_SOCK',
    'CILIUM_ENVOY_ADMIN_SOCK',
    'CILIUM_BPF_ROOT',
    'CILIUM_STATE_DIR',
    'HUBBLE_SERVER',
  ]);
  try {
    expect((await runBuilt(['lab', 'env'], options)).stdout).toBe(started.stdout);
    const list = await run(['endpoint', 'list', '-o', 'jsonpath={[*].id}'], inRuntime(folder.path, env));
    expect(list.stdout.trim().split(' ').map(Number)).toContain(2622);
    const status = await runBuilt(['lab', 'status'], options);
    expect(status.stdout).toMatch(
      /^NAME +STATE +PID .*\ndefault +Ok +\d+ +beginners-guide +all +10 +2 +\d+ /,
    );
    const flows = await run(['hubble', 'observe', '--last', '3', '-o', 'json'], inRuntime(folder.path, env));
    expect(flows.stdout.trim().split('\n')).toHaveLength(3);
  } finally {
    const stopped = await runBuilt(['lab', 'stop'], options);
    expect(stopped).toEqual({ stdout: '', stderr: 'Lab default has stopped.\n', code: 0 });
  }
  expect(readdirSync(join(folder.path, 'cilium-lab'))).toEqual([]);
  expect((await runBuilt(['lab', 'stop'], options)).stderr).toBe('No lab is running.\n');
});

test('two labs run beside each other, and the shell of one means its own', async () => {
  using folder = privateFolder();
  const options = inRuntime(folder.path);
  const [a, b] = await Promise.all([
    runBuilt(['lab', 'start'], options),
    runBuilt(['lab', 'start', '--scenario', 'shop', '--agent-version', '1.20'], options),
  ]);
  try {
    expect([a.code, b.code]).toEqual([0, 0]);
    const [envA, envB] = [exportsOf(a.stdout), exportsOf(b.stdout)];
    expect(envA.CILIUM_SOCK).not.toBe(envB.CILIUM_SOCK);
    const self = async (env: Record<string, string>) =>
      (await run(['node', 'list'], inRuntime(folder.path, env))).stdout.split('\n')[1]?.split(' ')[0];
    expect([await self(envA), await self(envB)].toSorted()).toEqual(['lab/node1', 'shop/node-a']);
    expect(
      (await runBuilt(['lab', 'status', '-o', 'jsonpath={[*].scenario}'], options)).stdout.trim(),
    ).toContain('shop');
    const ambiguous = await runBuilt(['lab', 'env'], options);
    expect(ambiguous.code).toBe(1);
    expect(ambiguous.stderr).toMatch(/several labs are running: default, lab-2\nSay which one with --name/);
    expect((await runBuilt(['lab', 'env'], inRuntime(folder.path, envB))).stdout).toBe(b.stdout);
  } finally {
    expect((await runBuilt(['lab', 'stop', '--all'], options)).code).toBe(0);
  }
  expect(readdirSync(join(folder.path, 'cilium-lab'))).toEqual([]);
});

test('a name or a folder that is in use is refused', async () => {
  using folder = privateFolder();
  const options = inRuntime(folder.path);
  await runBuilt(['lab', 'start', '--name', 'mine'], options);
  try {
    const again = await runBuilt(['lab', 'start', '--name', 'mine'], options);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/lab mine is running already.*\n.*cilium lab stop --name mine/);
    expect((await runBuilt(['lab', 'stop', '--name', 'other'], options)).stderr).toBe('No lab is running.\n');
    expect((await runBuilt(['lab', 'env', '--name', 'other'], options)).stderr).toMatch(
      /no lab named other is running/,
    );
  } finally {
    await runBuilt(['lab', 'stop', '--name', 'mine'], options);
  }
});

test('a command is run against a lab of its own and gives its exit code', async () => {
  using folder = privateFolder();
  const options = inRuntime(folder.path);
  const script = 'test -S "$CILIUM_SOCK" && test -S "$CILIUM_HEALTH_SOCK" && echo "$HUBBLE_SERVER"; exit 7';
  const result = await runBuilt(['lab', 'run', '--', 'sh', '-c', script], options);
  expect(result).toMatchObject({ code: 7, stderr: '' });
  expect(result.stdout).toMatch(/^unix:\/\/.*\/cilium-lab\/run-[0-9a-f]{8}\/hubble\.sock\n$/);
  expect(readdirSync(join(folder.path, 'cilium-lab'))).toEqual([]);
  expect((await runBuilt(['lab', 'run', '--', 'sh', '-c', 'kill -9 $$'], options)).code).toBe(137);
  const missing = await runBuilt(['lab', 'run', '--', 'no-such-command'], options);
  expect(missing).toMatchObject({ code: 127, stderr: 'Error: no-such-command: command not found\n' });
  expect((await runBuilt(['lab', 'run'], options)).code).toBe(1);
});

test('/var/run/cilium is touched only when it is asked for, and never beside an agent', async () => {
  using folder = privateFolder();
  const options = inRuntime(folder.path);
  const varRun = join(folder.path, 'var-run');
  // What a lab left that was killed: a link to nothing.
  mkdirSync(varRun);
  symlinkSync('/nonexistent/lab/agent.sock', join(varRun, 'cilium.sock'));
  const started = await runBuilt(['lab', 'start', '--var-run', varRun], options);
  expect(started.code).toBe(0);
  expect(readdirSync(varRun).toSorted()).toEqual([
    'cilium.sock',
    'health.sock',
    'hubble.sock',
    'monitor1_2.sock',
    'shell.sock',
  ]);
  const list = await run(['-H', `unix://${varRun}/cilium.sock`, 'endpoint', 'list'], inRuntime(folder.path));
  expect(list.code).toBe(0);
  const second = await runBuilt(['lab', 'start', '--name', 'second', '--var-run', varRun], options);
  expect(second).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is there already: an agent may be running'),
  });
  expect(readlinkSync(join(varRun, 'cilium.sock'))).toContain('/default/');
  await runBuilt(['lab', 'stop', '--all'], options);
  expect(readdirSync(varRun)).toEqual([]);
});

test('a scenario that is wrong is told by file, line and column', async () => {
  using folder = privateFolder();
  const options = { ...inRuntime(folder.path), cwd: folder.path };
  const file = join(folder.path, 'mine.yaml');
  const start = async (text: string) => {
    writeFileSync(file, text);
    const { stderr, code } = await runBuilt(['lab', 'run', '--scenario', 'mine.yaml', '--', 'true'], options);
    expect(code).toBe(1);
    return stderr.replaceAll(`${folder.path}/`, '');
  };
  expect(await start('name: x\nendpoints:\n  - pod: a/b\n    lables: {}\n')).toMatch(
    /^Error: mine\.yaml:4:5: endpoints\[0\]: there is no field "lables"\n/,
  );
  expect(await start('name: x\nnodes: [\n')).toMatch(/^Error: mine\.yaml:\d+:\d+: /);
  expect(
    await start('name: x\nendpoints:\n  - { pod: a/b, ipv4: 1.2.3 }\n  - { pod: a/b, state: fine }\n'),
  ).toMatch(/mine\.yaml:4:\d+: endpoints\[1\]\.state: expected one of/);
  expect(
    await start(
      'name: x\nendpoints:\n  - { pod: a/b, ipv4: 1.2.3 }\n  - { pod: a/b, node: n }\nservices:\n  - { name: a/s, frontend: "1.1.1.1:80", backends: ["a/c:80"] }\npolicies:\n  - { ingress: [] }\n',
    ),
  ).toMatch(
    new RegExp(
      [
        'mine.yaml:3:\\d+: endpoints\\[0\\].ipv4: "1.2.3" is not an IPv4 address',
        'mine.yaml:4:\\d+: endpoints\\[1\\].pod: pod a/b is used twice',
        'mine.yaml:4:\\d+: endpoints\\[1\\].node: there is no node "n"',
        'mine.yaml:6:\\d+: services\\[0\\].backends\\[0\\]: there is no pod "a/c"',
        'mine.yaml:8:\\d+: policies\\[0\\]: .*',
      ].join('\\n'),
    ),
  );
  const missing = await runBuilt(['lab', 'start', '--scenario', 'nothing'], options);
  expect(missing.stderr).toMatch(
    /no scenario nothing: no such file\n.*beginners-guide, empty, incident, shop/,
  );
});

/** Verbs that read, each with words that make sense in every scenario. */
test.each(shippedScenarios())('every verb that reads works in the scenario %s', async (scenario) => {
  await using lab = await startTestLab({ scenario });
  const env = labEnvironment(lab.lab.info);
  const failures: string[] = [];
  for (const words of READERS) {
    const { code, stdout, stderr } = await run(words.split(' '), { env, nowMs: Date.now() });
    const quiet = /^(lrp list|fqdn|policy wait)/.test(words);
    // The incident's agent says of itself that it is not well.
    const unwell = scenario === 'incident' && /^(status|policy wait)/.test(words);
    if (code !== (unwell ? 1 : 0) || (stdout === '' && !quiet)) failures.push(`${words}: ${code} ${stderr}`);
  }
  expect(failures).toEqual([]);
});

test('a folder that others can enter is refused', async () => {
  using folder = privateFolder();
  const dir = join(folder.path, 'open');
  mkdirSync(dir, { mode: 0o755 });
  const result = await runBuilt(['lab', 'start', '--dir', dir], inRuntime(folder.path));
  expect(result).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('other users can enter the folder'),
  });
  expect(existsSync(join(dir, 'agent.sock'))).toBe(false);
});

test("a folder with somebody else's sockets is left alone", async () => {
  using folder = privateFolder();
  const dir = join(folder.path, 'agent');
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(dir, 'health.sock'), '');
  const result = await runBuilt(['lab', 'start', '--dir', dir], inRuntime(folder.path));
  expect(result).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('holds sockets that no lab left there'),
  });
  expect(readdirSync(dir)).toEqual(['health.sock']);
});

test('the monitor shows events, and the shell of an agent 1.20 its metrics', async () => {
  await using lab = await startTestLab({ version: '1.20' });
  const env = labEnvironment(lab.lab.info);
  const stop = new AbortController();
  let seen = '';
  const onStdout = (text: string) => {
    seen += text;
    if (seen.split('\n').length > 5) stop.abort();
  };
  const watched = await run(['monitor'], { env, signal: stop.signal, onStdout });
  expect(watched.code).toBe(0);
  expect(seen).toMatch(/^(->|<-) .* flow 0x[0-9a-f]+/m);
  const metrics = await run(['metrics', 'list', '-p', 'endpoint_count', '-o', 'json'], { env });
  expect(JSON.parse(metrics.stdout)).toEqual([{ name: 'cilium_endpoint_count', value: 10 }]);
  const unknown = await run(['shell', '--', 'nonsense'], { env });
  expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining('nonsense: unknown command') });
});
