import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findHelm, helmFault, NoHelm, runHelm, shellLine } from '../../src/kube/helm.ts';
import { fakeHelm } from '../helpers/fake-helm.ts';

const world = (env: Record<string, string> = {}) => ({
  env: { PATH: process.env.PATH ?? '', ...env },
  cwd: '/',
  signal: new AbortController().signal,
});

describe('finding helm', () => {
  test.each([
    ['v3.22.0', 3, 22],
    ['v4.3.1', 4, 3],
    ['v3.22', 3, 22],
  ])('%s', async (version, major, minor) => {
    using helm = fakeHelm('', version);
    expect(await findHelm(helm.path, world())).toEqual({ path: helm.path, version, major, minor });
    expect(await findHelm(undefined, world({ PATH: `${dirname(helm.path)}:/bin:/usr/bin` }))).toMatchObject({
      path: helm.path,
    });
    expect(await findHelm(undefined, world({ CILIUM_HELM: helm.path }))).toMatchObject({ path: helm.path });
  });

  test('one that is too old is refused', async () => {
    using helm = fakeHelm('', 'v3.13.3');
    await expect(findHelm(helm.path, world())).rejects.toThrow('3.14 is the oldest that works');
  });

  test('a program that is none is no helm', async () => {
    await expect(findHelm('/bin/false', world())).rejects.toThrow('/bin/false is no helm');
  });

  test.each([undefined, '/nowhere/helm', 'no-such-helm'])('%s: there is none', async (named) => {
    await expect(findHelm(named, world({ PATH: '/nowhere' }))).rejects.toThrow(NoHelm);
  });
});

test('values are in a file that only the user reads and that is gone afterwards; the cluster is passed on', async () => {
  using helm = fakeHelm('echo done; echo "a warning" >&2');
  const folder = mkdtempSync(join(tmpdir(), 'helm-test-'));
  const place = join(folder, 'a,b.yaml');
  writeFileSync(place, 'x: 1');
  const lines: string[] = [];
  const found = await findHelm(helm.path, world());
  const ran = await runHelm(
    found,
    {
      words: ['upgrade', 'cilium', '/chart'],
      namespace: 'kube-system',
      cluster: { kubeconfig: '/k', context: 'c', as: 'me', asGroups: ['g1', 'g2'] },
      values: [{ text: 'secret: hunter2' }, { place }],
      onLine: (line) => lines.push(line),
    },
    world({
      TMPDIR: folder,
      HELM_KUBECONTEXT: 'other',
      HELM_NAMESPACE: 'other',
      HELM_DRIVER: 'memory',
      HELM_DEBUG: 'true',
      HELM_CACHE_HOME: '/cache',
    }),
  );
  expect(ran).toEqual({ code: 0, stdout: 'done\n', stderr: 'a warning\n' });
  expect(lines).toEqual(['a warning']);
  const [call] = helm.calls();
  expect(call?.argv).toEqual([
    ...['upgrade', 'cilium', '/chart', '--namespace', 'kube-system', '--kubeconfig', '/k'],
    ...['--kube-context', 'c', '--kube-as-user', 'me', '--kube-as-group', 'g1', '--kube-as-group', 'g2'],
    ...['--values', expect.stringContaining('values-0.yaml'), '--values', `"${place}"`],
  ]);
  expect(call?.argv.join(' ')).not.toContain('hunter2');
  expect(call?.values).toEqual([
    { path: expect.stringContaining(folder), text: 'secret: hunter2', mode: '600' },
  ]);
  expect(Object.keys(call?.env ?? {}).filter((name) => name.startsWith('HELM_'))).toEqual([
    'HELM_CACHE_HOME',
  ]);
  expect(existsSync(call?.values[0]?.path ?? '')).toBe(false);
  expect(readdirSync(folder)).toEqual(['a,b.yaml']);
  rmSync(folder, { recursive: true });
});

test('a signal is passed on, and the file is gone all the same', async () => {
  using helm = fakeHelm('sleep 20 & trap "kill $!; exit 1" TERM; echo began >&2; wait');
  const stop = new AbortController();
  const folder = mkdtempSync(join(tmpdir(), 'helm-test-'));
  const found = await findHelm(helm.path, world());
  const running = runHelm(
    found,
    { words: ['install'], values: [{ text: 'a: 1' }], onLine: () => stop.abort(new Error('stopped')) },
    { ...world({ TMPDIR: folder }), signal: stop.signal },
  );
  await expect(running).rejects.toThrow('stopped');
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

test('what helm says is wrong', () => {
  const ran = { code: 1, stdout: '' };
  expect(helmFault({ ...ran, stderr: 'WARNING: a\nError: UPGRADE FAILED: b\nc\n' })).toBe(
    'UPGRADE FAILED: b\nc',
  );
  expect(helmFault({ ...ran, stderr: '' })).toBe('helm ended with exit code 1');
});

test('a line for a shell', () => {
  expect(shellLine(['helm', '--set', "a='b c'"])).toBe(`helm --set 'a='\\''b c'\\'''`);
});
