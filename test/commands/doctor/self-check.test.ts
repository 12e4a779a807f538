import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Diagnosis } from '../../../src/model/doctor.ts';
import { startTestLab, type TestLab } from '../../helpers/lab.ts';
import { type RunOptions, run } from '../../helpers/run.ts';

let lab: TestLab;
let home: string;
beforeAll(async () => {
  lab = await startTestLab();
  home = mkdtempSync(join(tmpdir(), 'toolkit-self-'));
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

/** A machine with nothing on it. */
const bare = (): Record<string, string> => ({
  HOME: home,
  XDG_STATE_HOME: join(home, 'state'),
  PATH: home,
  SHELL: '/bin/fish',
  CILIUM_SOCK: join(home, 'none.sock'),
  HUBBLE_SERVER: `unix://${home}/none.sock`,
});

/** What was found, by check, and the exit code. */
async function self(options: RunOptions, ...words: string[]) {
  const { stdout, stderr, code } = await run(['doctor', '--self', '-o', 'json', ...words], options);
  expect(stderr).toBe('');
  const list = JSON.parse(stdout) as Diagnosis[];
  return { found: Object.fromEntries(list.map((one) => [one.check, one])), code };
}

test('a machine with nothing on it is told what is missing and what to do; nothing is broken', async () => {
  const { found, code } = await self({ env: bare(), uid: 1000 });
  expect(found).toMatchObject({
    system: { severity: 'ok', what: expect.stringContaining(`linux`) },
    user: { severity: 'warning', what: 'user 1000', next: expect.stringContaining('need root') },
    agent: {
      severity: 'warning',
      what: expect.stringContaining('none.sock/v1/healthz: no such socket'),
      next: expect.stringContaining('Is the agent running?'),
    },
    kubeconfig: { severity: 'warning', what: 'there is none' },
    'hubble server': { severity: 'warning', next: expect.stringContaining('with Hubble enabled?') },
    profile: { severity: 'ok', what: 'there are none' },
    helm: { severity: 'warning', what: 'it is not on PATH' },
    terminal: { severity: 'ok', what: 'stdout is none, without colours' },
    'undo folder': { severity: 'ok', what: `${home}/state/cilium-toolkit` },
  });
  expect(Object.keys(found)).toHaveLength(14);
  expect(code).toBe(0);
});

test('what is there is found', async () => {
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/helm'), '');
  chmodSync(join(home, 'bin/helm'), 0o755);
  const kubeconfig = join(home, 'kubeconfig');
  const cluster = { clusters: [], users: [], 'current-context': 'prod' };
  const context = { name: 'prod', context: { cluster: 'one', user: 'me' } };
  writeFileSync(kubeconfig, JSON.stringify({ ...cluster, contexts: [context] }));
  const { agent, hubble } = lab.lab.info.sockets;
  const env = {
    ...bare(),
    PATH: `/nonexistent:${home}/bin`,
    KUBECONFIG: kubeconfig,
    CILIUM_SOCK: agent,
    HUBBLE_SERVER: `unix://${hubble}`,
  };
  const { found, code } = await self({ env, uid: 0, realTime: true });
  expect(found).toMatchObject({
    user: { severity: 'ok', what: 'root' },
    agent: { severity: 'ok', what: `unix://${agent} answers` },
    'hubble server': { severity: 'ok', what: `unix://${hubble} answers` },
    kubeconfig: { severity: 'ok', what: 'context prod of 1 context; the cluster is not asked here' },
    helm: { severity: 'ok', what: `${home}/bin/helm` },
  });
  expect(code).toBe(0);
});

test('a kubeconfig that cannot be read is broken: 1 is the exit code, unless none is asked for', async () => {
  const path = join(home, 'broken');
  writeFileSync(path, 'clusters: [\n');
  const env = { ...bare(), KUBECONFIG: path };
  const { found, code } = await self({ env });
  expect(found.kubeconfig).toMatchObject({ severity: 'failure', what: expect.stringContaining(path) });
  expect(code).toBe(1);
  expect((await self({ env }, '--fail-on', 'never')).code).toBe(0);
});

test('elsewhere than on Linux the kernel is left out, and clusters are pointed to', async () => {
  const { found } = await self({ env: bare(), platform: 'darwin' });
  expect(found).toMatchObject({
    system: { severity: 'warning', next: expect.stringContaining('--node NAME') },
    'kernel types': { severity: 'skipped', what: 'only Linux has it' },
    'BPF file system': { severity: 'skipped' },
    'BPF helper': { severity: 'skipped' },
  });
});

test('it is a text without -o, and a report with the forms of one', async () => {
  const text = await run(['doctor', '--self'], { env: bare(), uid: 1000 });
  expect(text.stdout).toMatch(/^warning {2}helm: it is not on PATH\n {9}→ /m);
  expect(text.stdout).toMatch(/\n0 failures, \d+ warnings, \d+ checks fine, \d+ skipped\n$/);
  const junit = await run(['doctor', '--self', '-o', 'junit'], { env: bare(), uid: 1000 });
  expect(junit.stdout).toContain('name="helm"');
  expect(junit.code).toBe(0);
});

test('on a narrow terminal its lines are broken between words, below what they are about', async () => {
  const { stdout } = await run(['doctor', '--self', '--no-pager'], {
    env: { ...bare(), NO_COLOR: '1' },
    uid: 1000,
    columns: 60,
  });
  expect(stdout).toContain(
    'warning  helm: it is not on PATH\n         → "cilium install", "upgrade" and "uninstall" need\n           it.\n',
  );
});

test('without --self the doctor is for root, as before', async () => {
  const { stderr, code } = await run(['doctor'], { uid: 1000 });
  expect(stderr).toBe('Error: Please run "cilium doctor" command(s) with root privileges.\n');
  expect(code).toBe(1);
});
