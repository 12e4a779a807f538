import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { endpointAddress, etcdConfigOf, readEtcdConfig } from '../../src/kvstore/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'etcd-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('a configuration file', () => {
  test('gives endpoints, files, credentials and names of hosts', async () => {
    const path = file(
      'full.yaml',
      `endpoints: [https://a:2379, "https://b:2379"]
trusted-ca-file: /ca
ca-file: /other
cert-file: /cert
key-file: /key
username: u
password: p
cilium:
  hostAliases:
  - {hostname: a, ips: [10.0.0.1, 10.0.0.2]}
  - {hostname: 5, ips: [10.0.0.3]}
  - {hostname: c, ips: 10.0.0.4}
  - text
`,
    );
    expect(await readEtcdConfig(path)).toEqual({
      endpoints: ['https://a:2379', 'https://b:2379'],
      caFile: '/ca',
      certFile: '/cert',
      keyFile: '/key',
      username: 'u',
      password: 'p',
      hostAliases: { a: ['10.0.0.1', '10.0.0.2'] },
    });
  });

  test('may leave out nearly all', async () => {
    const path = file('little.yaml', 'ca-file: /other\ncert-file: ""\nkey-file: null\ncilium: {x: []}\n');
    expect(await readEtcdConfig(path)).toEqual({ endpoints: [], caFile: '/other', hostAliases: {} });
    expect((await readEtcdConfig(file('none.yaml', 'endpoints: null\n'))).endpoints).toEqual([]);
    const dashed = file('dashed.yaml', 'cilium: {host-aliases: [{hostname: a, ips: [::1]}]}\n');
    expect((await readEtcdConfig(dashed)).hostAliases).toEqual({ a: ['::1'] });
  });

  test.each([
    ['- a list\n', /expected a map with the key endpoints$/],
    ['text\n', /expected a map with the key endpoints$/],
    ['endpoints: http://a\n', /endpoints should be a list of URLs$/],
    ['endpoints: [5]\n', /endpoints should be a list of URLs$/],
    ['password: 5\n', /password should be a string$/],
    ['trusted-ca-file: [a]\n', /trusted-ca-file should be a string$/],
    ['a: {\n', /^etcd configuration .*wrong.yaml: [^\n]+$/],
  ])('%j is refused', async (text, message) => {
    await expect(readEtcdConfig(file('wrong.yaml', text))).rejects.toThrow(message);
  });

  test('that is absent is named', async () => {
    await expect(readEtcdConfig(join(folder, 'absent'))).rejects.toThrow(
      `cannot read ${folder}/absent: no such file`,
    );
  });
});

test('options name a file or an address', async () => {
  const path = file('options.yaml', 'endpoints: [http://x:1]\n');
  const both = { 'etcd.config': path, 'etcd.address': 'y:2' };
  expect((await etcdConfigOf(both)).endpoints).toEqual(['http://x:1']);
  expect(await etcdConfigOf({ 'etcd.address': 'y:2' })).toEqual({ endpoints: ['http://y:2'] });
  expect(await etcdConfigOf({ 'etcd.address': 'https://y:2' })).toEqual({ endpoints: ['https://y:2'] });
  await expect(etcdConfigOf({})).rejects.toThrow(
    'the kvstore options name neither etcd.config nor etcd.address',
  );
});

describe('the address of an endpoint', () => {
  const target = async (endpoint: string, aliases: Record<string, string[]> = {}) =>
    (await endpointAddress(endpoint, { endpoints: [], hostAliases: aliases })).target;

  test('has the port of its scheme, unless it names one', async () => {
    expect(await target('http://a')).toBe('a:80');
    expect(await target('https://a')).toBe('a:443');
    expect(await target('https://a:2379')).toBe('a:2379');
    expect(await target('http://[::1]:2379')).toBe('[::1]:2379');
    await expect(target('a')).rejects.toThrow('"a" is not the URL of an etcd member');
  });

  test('is the one that stands for its name', async () => {
    expect(await target('http://a:1', { a: ['10.0.0.1', '10.0.0.2'] })).toBe('10.0.0.1:1');
    expect(await target('http://a:1', { a: ['fd00::1'] })).toBe('[fd00::1]:1');
    expect(await target('http://a:1', { b: ['10.0.0.1'] })).toBe('a:1');
  });

  test('brings along what TLS needs, and the name only where there is one', async () => {
    const files = { caFile: file('ca', 'CA'), certFile: file('cert', 'CERT'), keyFile: file('key', 'KEY') };
    const tls = async (endpoint: string, config: object = {}) =>
      (await endpointAddress(endpoint, { endpoints: [], ...config })).tls;
    expect(await tls('https://a:1', files)).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'a' });
    expect(await tls('https://a:1')).toEqual({ servername: 'a' });
    expect(await tls('https://10.0.0.1:1')).toEqual({});
    expect(await tls('https://[::1]:1')).toEqual({});
    expect(await tls('http://a:1', files)).toBeUndefined();
    await expect(tls('https://a:1', { caFile: join(folder, 'absent') })).rejects.toThrow('no such file');
  });
});
