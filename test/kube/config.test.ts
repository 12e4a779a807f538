import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { hasKubeconfig, loadKubeConfig } from '../../src/kube/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A kubeconfig of one cluster and one context, both of that name. */
function kubeconfig(name: string, server = `https://${name}:6443`): string {
  return written(name, {
    clusters: [{ name, cluster: { server } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user: {} }],
    'current-context': name,
  });
}

function written(name: string, config: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const [one, two] = [kubeconfig('one'), kubeconfig('two')];
const plain = kubeconfig('plain', 'http://127.0.0.1:8001');
const absent = join(folder, 'absent');
const nowhere = { HOME: folder };

const serverOf = async (...args: Parameters<typeof loadKubeConfig>) =>
  (await loadKubeConfig(...args)).getCurrentCluster()?.server;

test('the flag is before KUBECONFIG, and both are before the home', async () => {
  expect(await serverOf({ KUBECONFIG: two }, { kubeconfig: one })).toBe('https://one:6443');
  expect(await serverOf({ KUBECONFIG: two, HOME: folder }, {})).toBe('https://two:6443');
  expect(await hasKubeconfig({ KUBECONFIG: two }, absent)).toBe(false);
  expect(await hasKubeconfig({ KUBECONFIG: `${absent}${delimiter}${two}` }, undefined)).toBe(true);
  expect(await hasKubeconfig(nowhere, undefined)).toBe(false);
  expect(await hasKubeconfig({}, undefined)).toBe(false);
});

test('several files are one, and the context of the first counts', async () => {
  const env = { KUBECONFIG: [one, '', two].join(delimiter) };
  const config = await loadKubeConfig(env, {});
  expect(config.getContexts().map(({ name }) => name)).toEqual(['one', 'two']);
  expect(config.getCurrentContext()).toBe('one');
  expect(await serverOf(env, { context: 'two' })).toBe('https://two:6443');
});

test('of several files those that are not there are left out', async () => {
  const env = { KUBECONFIG: [absent, two].join(delimiter) };
  expect(await serverOf(env, {})).toBe('https://two:6443');
});

test.each([
  [
    'a word',
    kubeconfig('word', 'api'),
    'the cluster "word" of the kubeconfig has no URL of an API server: "api"',
  ],
  ['a file', kubeconfig('file', 'file:///x'), 'has no URL of an API server'],
  [
    'nothing',
    written('lost', {
      contexts: [{ name: 'lost', context: { cluster: 'x', user: 'x' } }],
      'current-context': 'lost',
    }),
    'the kubeconfig has no cluster for its context "lost"',
  ],
  ['no context', written('none', {}), 'the kubeconfig has no current context'],
])('a context that leads to %s is told', async (_, path, message) => {
  await expect(loadKubeConfig(nowhere, { kubeconfig: path })).rejects.toThrow(message);
});

test('a context that is not there is answered with those that are', async () => {
  const env = { KUBECONFIG: `${one}${delimiter}${two}` };
  await expect(loadKubeConfig(env, { context: 'three' })).rejects.toMatchObject({
    message: 'the kubeconfig has no context "three"',
    hint: 'Its contexts: one, two.',
  });
});

test('a server that is named needs no kubeconfig', async () => {
  const config = await loadKubeConfig(nowhere, { server: 'https://api:6443', kubeconfig: one });
  expect(config.getCurrentCluster()).toMatchObject({ server: 'https://api:6443', skipTLSVerify: false });
});

test('only where there is no TLS is nothing to verify', async () => {
  expect((await loadKubeConfig(nowhere, { kubeconfig: plain })).getCurrentCluster()?.skipTLSVerify).toBe(
    true,
  );
  expect((await loadKubeConfig(nowhere, { kubeconfig: one })).getCurrentCluster()?.skipTLSVerify).toBe(false);
});

test('no kubeconfig, and one that cannot be read, are told with the path', async () => {
  await expect(loadKubeConfig(nowhere, {})).rejects.toThrow(
    `no kubeconfig: ${folder}/.kube/config: no such file or directory`,
  );
  const broken = join(folder, 'broken');
  writeFileSync(broken, ': {');
  await expect(loadKubeConfig(nowhere, { kubeconfig: broken })).rejects.toThrow(
    new RegExp(`^read kubeconfig ${broken}: `),
  );
});

test('a token-file that is a pipe is refused, where no signal would reach the wait for it', async () => {
  const pipe = join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  const users = (user: object) => ({
    clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user }],
    'current-context': 'c',
  });
  const piped = written('piped', users({ 'token-file': pipe }));
  await expect(loadKubeConfig({}, { kubeconfig: piped })).rejects.toThrow(
    `the token-file ${pipe} of the kubeconfig is no file`,
  );
  const yaml = join(folder, 'piped.yaml');
  writeFileSync(yaml, `users:\n- name: u\n  user:\n    token-file: ${pipe}\n`);
  await expect(loadKubeConfig({}, { kubeconfig: yaml })).rejects.toThrow('is no file');
  const plainFile = written('tok', {});
  const fine = written('fine', users({ 'token-file': plainFile }));
  expect((await loadKubeConfig({}, { kubeconfig: fine })).getCurrentUser()?.token).toBe('{}');
});
