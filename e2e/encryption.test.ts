import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

const SECRET = '/api/v1/namespaces/kube-system/secrets/cilium-ipsec-keys';

let server: ApiServer;
const as = (user: string, ...argv: string[]) =>
  run(['encryption', ...argv, '-n', 'kube-system'], {
    nowMs: Date.now(),
    env: { KUBECONFIG: server.kubeconfig(user) },
  });
const secret = async () => JSON.parse((await server.call('GET', SECRET)).body);
const key = async () => Buffer.from((await secret()).data.keys, 'base64').toString();

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test('a key is made, shown and rotated in a Secret of the API server', async () => {
  const dry = await as('admin', 'create-key', '--dry-run');
  expect([dry.code, (await server.call('GET', SECRET)).status]).toEqual([0, 404]);
  expect((await as('admin', 'create-key')).stdout).toBe('IPsec key successfully created, new key SPI: 1\n');
  const first = await key();
  expect(first).toMatch(/^1\+ rfc4106\(gcm\(aes\)\) [0-9a-f]{40} 128$/);
  expect((await as('admin', 'create-key')).stderr).toContain('IPsec secret already exists');
  expect(await key()).toBe(first);
  const shown = await as('admin', 'key-status');
  expect(shown.stdout).not.toContain(first.split(' ')[2] ?? '');
  expect((await as('admin', 'key-status', '--show-secret')).stdout).toBe(`IPsec key: ${first}\n`);

  // There are no CiliumNodes in this cluster.
  const refused = await as('admin', 'rotate-key');
  expect(refused.stderr).toContain('(ciliumnodes of cilium.io/v2) could not be read');
  expect([refused.code, await key()]).toEqual([1, first]);
  expect((await as('admin', 'rotate-key', '--force', '--dry-run')).code).toBe(0);
  expect(await key()).toBe(first);
  const rotated = await as('admin', 'rotate-key', '--force');
  expect([rotated.stdout, rotated.code]).toEqual(['IPsec key successfully rotated, new key SPI: 2\n', 0]);
  expect(rotated.stderr).toContain('Which key the nodes encrypt with is not known');
  expect(await key()).toMatch(/^2\+ rfc4106\(gcm\(aes\)\) [0-9a-f]{40} 128$/);
});

test('who may not is told by name, and the key stays', async () => {
  const before = await key();
  for (const [verb, said] of [
    ['rotate-key', 'Unable to rotate IPsec key: failed to fetch IPsec secret'],
    ['key-status', 'Unable to display IPsec key: failed to fetch IPsec secret'],
    ['create-key', 'Unable to create IPsec key: failed to check if IPsec secret exists'],
  ] as const) {
    const { stdout, stderr, code } = await as('viewer', verb);
    expect(stderr).toContain(
      `${said}: secrets "cilium-ipsec-keys" is forbidden: User "viewer" cannot get resource "secrets" in API group "" in the namespace "kube-system"`,
    );
    expect([stdout, code]).toEqual(['', 1]);
  }
  expect(await key()).toBe(before);
});

test('of two that rotate at once one is told, and no key is lost', async () => {
  const before = await key();
  const spi = Number.parseInt(before, 10);
  const { metadata } = await secret();
  // Somebody else is faster, between our read and our write.
  const theirs = Buffer.from(`${spi + 1}+ theirs abcd 128`).toString('base64');
  const write = (keys: string) =>
    server.call(
      'PATCH',
      SECRET,
      { metadata: { resourceVersion: metadata.resourceVersion }, data: { keys } },
      'application/merge-patch+json',
    );
  const stale = await write(theirs);
  expect(stale.status).toBe(200);
  const late = await write('bG9zdA==');
  expect(late.status).toBe(409);
  expect(await key()).toBe(`${spi + 1}+ theirs abcd 128`);
});
