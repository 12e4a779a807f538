import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { shownOf } from '../../src/cluster/sysdump/secret-facts.ts';
import { loopbackCertificate } from '../../src/lab/kube/certificate.ts';
import { PLANTED } from '../cluster/sysdump/planted.ts';
import { unzipped } from '../helpers/dump-cluster.ts';
import { type MeshCluster, putSecret, READY, resetMesh, serveMesh } from '../helpers/mesh-cluster.ts';
import { run } from '../helpers/run.ts';
import { ciliumConfig } from '../helpers/stub-cluster.ts';

const NOW = Date.UTC(2026, 10, 29, 7, 5, 3);
const { cert, key } = loopbackCertificate(NOW);
const KEY = '0123456789abcdef0123456789abcdef01234567';

let cluster: MeshCluster;
let folder = '';
beforeAll(async () => {
  cluster = await serveMesh();
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  resetMesh(cluster);
  putSecret(cluster, 'cilium-ca', { 'ca.crt': cert, 'ca.key': key });
  putSecret(cluster, 'clustermesh-apiserver-remote-cert', { 'ca.crt': cert, 'tls.key': key });
});
afterEach(() => rmSync(folder, { recursive: true }));

const live = (...argv: string[]) =>
  run([...argv, '-n', 'kube-system'], {
    nowMs: NOW,
    cwd: folder,
    env: { KUBECONFIG: cluster.kubeconfig, CILIUM_TARGET: 'cluster' },
  });
const from = (...argv: string[]) =>
  run([...argv, '-n', 'kube-system', '--from', 'dump.zip'], { cwd: folder });
const dump = (...flags: string[]) =>
  live('sysdump', '--output-filename', 'dump', '--skip', 'gops,profiles,bugtool,logs,flows', ...flags);

/** All that the archive holds, as one text. */
async function everything(): Promise<string> {
  return [...(await unzipped(join(folder, 'dump.zip'))).values()].join('\n');
}

test.each([
  ['all is well', () => {}],
  [
    'a node and a replica are not connected',
    () => {
      cluster.says['cilium-1'] = [{ name: 'cluster2', ...READY, ready: false, status: 'Waiting' }];
      cluster.says['clustermesh-apiserver-1'] = [];
    },
  ],
  ['the agents know of no mesh', () => Object.assign(cluster.says, { 'cilium-1': null, 'cilium-2': null })],
  ['KVStoreMesh cannot be asked', () => void delete cluster.says['clustermesh-apiserver-1']],
  [
    'there is no Secret for others',
    () =>
      void cluster.objects.delete('/api/v1/namespaces/kube-system/secrets/clustermesh-apiserver-remote-cert'),
  ],
  [
    'the state is in etcd',
    () => void cluster.objects.set(...ciliumConfig({ 'cluster-id': '1', 'cluster-name': 'cluster1' })),
  ],
])('clustermesh status, when %s', async (_, change) => {
  change();
  await dump();
  for (const argv of [
    ['clustermesh', 'status'],
    ['clustermesh', 'status', '-o', 'json'],
  ]) {
    const [before, after] = [await live(...argv), await from(...argv)];
    expect([after.stdout, after.code]).toEqual([before.stdout, before.code]);
  }
});

test.each([
  `3+ rfc4106(gcm(aes)) ${KEY} 128`,
  `15 hmac(sha256) ${KEY} cbc(aes) ${KEY}`,
  `1 hmac(sha256) ${KEY} cbc(aes) ${KEY}\n2 hmac(sha256) ${KEY} cbc(aes) ${KEY}`,
  KEY,
])('key-status of a key', async (text) => {
  putSecret(cluster, 'cilium-ipsec-keys', { keys: text });
  await dump('--no-redact');
  const argv = ['encryption', 'key-status'];
  const [before, after] = [await live(...argv), await from(...argv)];
  expect([after.stdout, after.code]).toEqual([before.stdout, 0]);
  expect(await everything()).not.toContain(KEY);
  const shown = await from(...argv, '--show-secret');
  expect([shown.stdout, shown.code]).toEqual(['', 1]);
  expect(shown.stderr).toContain('dump.zip does not hold the key');
});

test('key-status says that there is no Secret, no key in it, or that it is not known', async () => {
  const argv = ['encryption', 'key-status'];
  await dump();
  expect((await from(...argv)).stderr).toContain('secrets "cilium-ipsec-keys" not found');
  rmSync(join(folder, 'dump.zip'));
  putSecret(cluster, 'cilium-ipsec-keys', { other: KEY });
  await dump();
  expect((await from(...argv)).stderr).toContain('IPsec key not found in the secret');
  rmSync(join(folder, 'dump.zip'));
  await dump('--skip', 'workloads');
  const { stderr, code } = await from(...argv);
  expect([stderr, code]).toEqual([expect.stringContaining('holds nothing of the Secret'), 1]);
});

test('no value of a Secret is in the archive, whatever it is and wherever it stands', async () => {
  const all = PLANTED.map(({ text }) => text).join('\n');
  for (const name of ['cilium-clustermesh', 'cilium-kvstoremesh', 'cilium-ca', 'cilium-ipsec-keys'])
    putSecret(cluster, name, {
      keys: all,
      'ca.crt': `${cert}${all}`,
      'tls.crt': all,
      'ca.key': key,
      cluster2: `endpoints:\n- https://user:hunter2hunter2@host:2379/?token=hunter3hunter3\n${all}`,
    });
  await dump();
  const text = await everything();
  expect(PLANTED.filter(({ secret }) => text.includes(secret))).toEqual([]);
  expect(text).not.toMatch(/hunter|PRIVATE KEY/);
  expect(text).toContain('https://host:2379');
});

test.each([
  ['a private key beside a certificate', 'authority', { 'ca.crt': `${cert}${key}` }],
  [
    'a private key that is called a certificate',
    'authority',
    { 'ca.crt': key.replaceAll('PRIVATE KEY', 'CERTIFICATE') },
  ],
  ['something behind a certificate', 'authority', { 'tls.crt': `${cert}password` }],
  ['a key in the place of an algorithm', 'ipsec', { keys: `1 ${KEY} abc 128` }],
  ['a key in the place of a cipher', 'ipsec', { keys: `1 hmac(sha256) abc ${KEY} abc` }],
  ['a key in the place of a size', 'ipsec', { keys: '1 rfc4106(gcm(aes)) abc 1234567890123456' }],
] as const)('%s is not shown, and the Secret is not known then', (_, form, values) => {
  expect(shownOf(form, values as Record<string, string>)).toEqual({
    shown: [],
    withheld: expect.any(String),
  });
});
