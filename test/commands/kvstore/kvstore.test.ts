import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';
import { type Etcd, hasEtcd, startEtcd } from '../../helpers/etcd.ts';
import { run } from '../../helpers/run.ts';

const withEtcd = hasEtcd() ? describe : describe.skip;

withEtcd('kvstore, against a real etcd', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(async () => etcd?.[Symbol.asyncDispose]());

  // Before the verb is as good as behind it.
  const kvstore = (...argv: string[]) =>
    run(['kvstore', '--kvstore=etcd', ...argv, `--kvstore-opt=etcd.address=${etcd.url}`]);

  // differs: kvstore-nothing
  test('sets, gets and deletes a key', async () => {
    expect(await kvstore('set', '--key=a/1', '--value=x=y <z>')).toEqual({ stdout: '', stderr: '', code: 0 });
    expect((await kvstore('get', 'a/1')).stdout).toBe('a/1 => x=y <z>\n');
    expect((await kvstore('get', 'a/1', '-o', 'json')).stdout).toBe('"x=y \\u003cz\\u003e"\n\n');
    expect((await kvstore('delete', 'a/1')).stderr).toBe('');
    const gone = await kvstore('get', 'a/1');
    expect(gone).toEqual({ stdout: '', stderr: 'Error: key a/1 is not found\n', code: 1 });
    expect((await kvstore('delete', 'a/1')).stderr).toBe('Note: there was no key "a/1".\n');
  });

  test('takes a prefix with --recursive, and escapes what a terminal should not see', async () => {
    for (const [key, value] of [
      ['p/b', '2'],
      ['p/a', '\u001b[2J'],
      ['q', '3'],
    ])
      await kvstore('set', '--key', key ?? '', '--value', value ?? '');
    expect((await kvstore('get', '--recursive', 'p/')).stdout).toBe('p/a => ^[[2J\np/b => 2\n');
    const structured = await kvstore('get', '--recursive', 'p/', '-o', 'json');
    expect(JSON.parse(structured.stdout)).toEqual({
      'p/a': { Data: 'G1sySg==', ModRevision: expect.any(Number), LeaseID: 0 },
      'p/b': { Data: 'Mg==', ModRevision: expect.any(Number), LeaseID: 0 },
    });
    expect((await kvstore('get', '--recursive')).stdout).toContain('q => 3\n');
    expect((await kvstore('delete', '--recursive', 'p/')).stderr).toBe('Deleted 2 keys.\n');
    expect((await kvstore('get', '--recursive', '')).stdout).not.toContain('p/');
  });

  // differs: kvstore-gateway
  test('reads a large prefix page by page', async () => {
    const keys = Array.from({ length: 2501 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
    for (let at = 0; at < keys.length; at += 100)
      await fetch(`${etcd.url}/v3/kv/txn`, {
        method: 'POST',
        body: JSON.stringify({
          success: keys
            .slice(at, at + 100)
            .map((key) => ({ request_put: { key: Buffer.from(key).toString('base64'), value: 'eA==' } })),
        }),
      });
    const { stdout } = await kvstore('get', '--recursive', 'many/');
    expect(stdout === keys.map((key) => `${key} => x\n`).join('')).toBe(true);
  });

  test('takes the store from the agent when the flags name none', async () => {
    const config = (kvstoreConfiguration: object) => ({
      'GET /v1/config': { body: { status: { kvstoreConfiguration } } },
    });
    await using agent = await agentOf(config({ type: 'etcd', options: { 'etcd.address': etcd.url } }));
    await kvstore('set', '--key=from', '--value=agent');
    expect((await agent.run(['kvstore', 'get', 'from'])).stdout).toBe('from => agent\n');
    await using bare = await agentOf(config({}));
    const none = await bare.run(['kvstore', 'get', 'from']);
    expect(none.stderr).toContain('Error: the agent uses no kvstore\n');
    await using consul = await agentOf(config({ type: 'consul' }));
    expect((await consul.run(['kvstore', 'get', 'x'])).stderr).toContain(
      'kvstore type "consul" is not supported',
    );
  });

  test('goes on to the next member when the first cannot be reached', async () => {
    const file = join(etcd.folder, 'two.yaml');
    writeFileSync(file, `endpoints:\n- http://127.0.0.1:1\n- ${etcd.url}\n`);
    await kvstore('set', '--key=two', '--value=members');
    const { stdout } = await run([
      'kvstore',
      'get',
      'two',
      '--kvstore=etcd',
      `--kvstore-opt=etcd.config=${file}`,
    ]);
    expect(stdout).toBe('two => members\n');
  });

  test('migrate-identity prints what the kvstore holds', async () => {
    await kvstore(
      'set',
      '--key=cilium/state/identities/v1/id/1234',
      '--value=k8s:app=web;k8s:io.kubernetes.pod.namespace=shop;',
    );
    const { stdout, stderr } = await run([
      'preflight',
      'migrate-identity',
      '--dry-run',
      '--kvstore=etcd',
      `--kvstore-opt=etcd.address=${etcd.url}`,
    ]);
    expect(stdout).toBe(
      [
        '---',
        'apiVersion: cilium.io/v2',
        'kind: CiliumIdentity',
        'metadata:',
        '  name: "1234"',
        '  labels:',
        '    app: web',
        '    io.kubernetes.pod.namespace: shop',
        'security-labels:',
        '  k8s:app: web',
        '  k8s:io.kubernetes.pod.namespace: shop',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe('1 identities.\n');
  });

  // differs: troubleshoot-names
  test('troubleshoot kvstore finds a healthy member', async () => {
    const file = join(etcd.folder, 'plain.yaml');
    writeFileSync(file, `endpoints: ['${etcd.url}']\n`);
    const { stdout, code } = await run(['troubleshoot', 'kvstore', '--etcd-config', file]);
    expect(stdout.replace(/ID: [0-9a-f]+/, 'ID: X')).toBe(
      [
        `📄 Configuration path: ${file}`,
        '',
        '🔌 Endpoints:',
        `   - ${etcd.url}`,
        `     ✅ TCP connection successfully established to ${etcd.url.slice('http://'.length)}`,
        '',
        '🔑 Digital certificates:',
        '   ⚠️ Root CA unset: using system pool',
        '   ⚠️ No available TLS client certificates',
        '',
        '⚙️ Etcd client:',
        '   ✅ Etcd connection successfully established',
        '   ℹ️  Etcd cluster ID: X',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });
});

withEtcd('kvstore, against an etcd with TLS', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd({ tls: true });
  });
  afterAll(async () => etcd?.[Symbol.asyncDispose]());

  function configFile(name: string, lines: string[]): string {
    mkdirSync(join(etcd.folder, 'mesh'), { recursive: true });
    const file = join(etcd.folder, 'mesh', name);
    writeFileSync(file, ['endpoints:', `- ${etcd.url}`, ...lines, ''].join('\n'));
    return file;
  }
  const secrets = () => [
    `trusted-ca-file: ${etcd.folder}/ca.crt`,
    `cert-file: ${etcd.folder}/client.crt`,
    `key-file: ${etcd.folder}/client.key`,
  ];

  test('is read with a client certificate', async () => {
    const flags = ['--kvstore=etcd', `--kvstore-opt=etcd.config=${configFile('west', secrets())}`];
    await run(['kvstore', 'set', '--key=k', '--value=v', ...flags]);
    expect((await run(['kvstore', 'get', 'k', ...flags])).stdout).toBe('k => v\n');
  });

  test('troubleshoot clustermesh shows certificates, versions and clusters', async () => {
    configFile('west', secrets());
    configFile('east', []);
    await using agent = await agentOf({
      'GET /v1/config': { body: { status: { daemonConfigurationMap: { ClusterName: 'west' } } } },
    });
    const folder = join(etcd.folder, 'mesh');
    const { stdout, code } = await agent.run(['troubleshoot', 'clustermesh', '--clustermesh-config', folder]);
    expect(stdout).toMatch(/^Found 2 cluster configurations\n\nCluster "east":\n/);
    const [east = '', west = ''] = stdout.split('Cluster "west":\n');
    expect(east).toMatch(/❌ Cannot establish TLS connection to 127\.0\.0\.1:\d+: .*certificate/);
    expect(east).toContain('❌ Failed to establish connection: ');
    expect(west).toMatch(/^ℹ️ {2}This entry corresponds to the local cluster\n/);
    expect(west).toContain('✅ TLS connection successfully established to 127.0.0.1:');
    expect(west).toMatch(/ℹ️ {2}Negotiated TLS version: TLS 1\.[23], ciphersuite TLS_\w+\n/);
    expect(west).toMatch(/ℹ️ {2}Etcd server version: 3\.\d+\.\d+\n/);
    expect(west).toContain('  Subject:             CN=Lab CA,O=Lab\n');
    expect(west).toMatch(/ {4}Not before: {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\n/);
    expect(west).not.toContain('Cannot verify certificate');
    expect(west).toContain('✅ Etcd connection successfully established');
    expect(code).toBe(0);
  });

  test('troubleshoot clustermesh names what is not there', async () => {
    await using agent = await agentOf({});
    configFile('west', secrets());
    const folder = join(etcd.folder, 'mesh');
    const { stdout, stderr } = await agent.run([
      'troubleshoot',
      'clustermesh',
      'north',
      'Bad',
      '--clustermesh-config',
      folder,
    ]);
    expect(stdout).toContain('Troubleshooting filtered subset of clusters: north, Bad\n');
    expect(stdout).toContain('Cluster "north":\n❌ Configuration not found\n');
    expect(stdout).toContain('Cluster "Bad":\n❌ Invalid cluster name: ');
    expect(stderr).toContain('retrieve the local cluster name');
  });
});

describe('kvstore without an etcd', () => {
  test.each([
    [['kvstore', 'get'], 'Please specify a key'],
    [['kvstore', 'set', '--value=x'], '--key attribute required'],
    [['kvstore', 'delete'], 'Please specify a key or key prefix to delete'],
    [['kvstore', 'get', 'k', '--kvstore-opt=nothing'], '"nothing" is not an option'],
    [
      ['kvstore', 'get', 'k', '--kvstore-opt=etcd.operator=true'],
      'name neither etcd.config nor etcd.address',
    ],
    [
      ['kvstore', 'get', 'k', '--kvstore-opt=etcd.config=/nonexistent'],
      'cannot read /nonexistent: no such file',
    ],
    [['kvstore', 'get', 'k', '--kvstore-opt=etcd.address=http://127.0.0.1:1'], 'connection refused'],
  ])('%j says what is wrong', async (argv, message) => {
    const needsStore = argv.some((word) => word.startsWith('--kvstore-opt'));
    const flags = needsStore
      ? ['--kvstore=etcd']
      : ['--kvstore=etcd', '--kvstore-opt=etcd.address=http://127.0.0.1:1'];
    const { stderr, code, stdout } = await run([...argv, ...flags]);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  test('a server that is no etcd is named as such', async () => {
    const server = createServer((_, response) => response.writeHead(404).end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { stderr } = await run([
      'kvstore',
      'get',
      'k',
      '--kvstore=etcd',
      `--kvstore-opt=etcd.address=127.0.0.1:${port}`,
    ]);
    server.closeAllConnections();
    server.close();
    expect(stderr).toContain('the answer of status 404 is not JSON');
  });

  test('troubleshoot kvstore takes a missing configuration for CRD mode', async () => {
    const { stdout, code } = await run(['troubleshoot', 'kvstore', '--etcd-config=/nonexistent']);
    expect(stdout).toBe(
      'Unable to read etcd configuration: /nonexistent\nThis is expected when Cilium is running in CRD mode\n',
    );
    expect(code).toBe(0);
  });

  test('troubleshoot clustermesh asks whether the folder is the right one', async () => {
    const { stdout, code } = await run([
      'troubleshoot',
      'clustermesh',
      '--clustermesh-config=/nonexistent',
      '--H=unix:///nonexistent.sock',
    ]);
    expect(stdout).toContain('Is "/nonexistent" the correct configuration directory?\n');
    expect(code).toBe(1);
  });

  test('troubleshoot clustermesh of 1.20 takes a missing folder for a mesh that is off', async () => {
    const config = { status: { daemonConfigurationMap: { ClusterName: 'lab', PreferIpv6: false } } };
    await using agent = await agentOf({ 'GET /v1/config': { body: config } });
    const flags = ['--clustermesh-config=/nonexistent', `--H=unix://${agent.socket}`];
    const { stdout, code } = await agent.run(['troubleshoot', 'clustermesh', ...flags]);
    expect({ stdout, code }).toEqual({
      stdout:
        'Unable to retrieve cluster configurations: open /nonexistent: no such file or directory\nThis is expected when Cluster Mesh is disabled\n',
      code: 0,
    });
  });
});
