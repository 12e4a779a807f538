import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../helpers/run.ts';

/** A cluster: what its API server holds, by path. */
let objects: Record<string, unknown> = {};
const asked: string[] = [];
const server = createServer((request, response) => {
  const path = (request.url ?? '').split('?')[0] ?? '';
  asked.push(path);
  const found = objects[path];
  const status = found === undefined ? 404 : typeof found === 'number' ? found : 200;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(status === 200 ? found : { kind: 'Status', code: status, message: 'no' }));
});

let folder = '';
let kubeconfig = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'build-config-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'k', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    }),
  );
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const MAP = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
const NODE_CONFIGS = '/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs';
const OLD_NODE_CONFIGS = '/apis/cilium.io/v1alpha1/namespaces/kube-system/ciliumnodeconfigs'.replace(
  'v1alpha1',
  'v2alpha1',
);

async function build(dest: string, flags: string[] = [], nowMs = 5_000) {
  asked.length = 0;
  return run(
    ['build-config', '--dest', dest, '--k8s-kubeconfig-path', kubeconfig, '--node-name', 'n1', ...flags],
    {
      cwd: folder,
      nowMs,
      env: { CILIUM_K8S_NAMESPACE: 'kube-system' },
    },
  );
}

function read(dest: string): Record<string, string> {
  const path = join(folder, dest);
  const keys = readdirSync(path).filter((name) => !name.startsWith('..'));
  return Object.fromEntries(keys.map((key) => [key, readFileSync(join(path, key), 'utf8')]));
}

const nodeConfig = (name: string, nodeSelector: object | undefined, defaults: object) => ({
  metadata: { name },
  spec: { nodeSelector, defaults },
});

describe('build-config', () => {
  test('writes a file per key, later sources overriding earlier ones', async () => {
    objects = {
      [MAP]: { data: { debug: 'false', tunnel: 'vxlan' } },
      [NODE_CONFIGS]: {
        items: [
          nodeConfig('b', { matchLabels: { zone: 'a' } }, { debug: 'true', 'bad key': '1' }),
          nodeConfig(
            'a',
            { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] },
            { debug: 'maybe', mtu: '1400' },
          ),
          nodeConfig('c', { matchLabels: { zone: 'z' } }, { debug: 'never' }),
          nodeConfig('d', undefined, { debug: 'nobody' }),
        ],
      },
      '/api/v1/nodes/n1': { metadata: { name: 'n1', labels: { zone: 'a' } } },
    };
    const { stdout, stderr, code } = await build('one');
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).toContain('config-map:kube-system/cilium-config: 2 keys\n');
    expect(stderr).toContain('"bad key" is no key');
    expect(read('one')).toEqual({
      debug: 'true',
      tunnel: 'vxlan',
      mtu: '1400',
      'config-sources':
        '[{"kind":"config-map","namespace":"kube-system","name":"cilium-config"},' +
        '{"kind":"cilium-node-config","namespace":"kube-system","name":"a"},' +
        '{"kind":"cilium-node-config","namespace":"kube-system","name":"b"}]',
      'config-sources-overrides': '{"allowConfigKeys":null,"denyConfigKeys":null}',
    });
    expect(readlinkSync(join(folder, 'one', 'debug'))).toBe('..data/debug');
    expect(readlinkSync(join(folder, 'one', '..data'))).toBe('..data_5');
  });

  // differs: build-config-gone
  test('replaces all keys at once, and leaves nothing of the time before', async () => {
    objects = { [MAP]: { data: { debug: 'true' } } };
    writeFileSync(join(folder, 'one', 'mine'), 'kept');
    expect((await build('one', [], 9_000)).code).toBe(0);
    expect(readdirSync(join(folder, 'one')).sort()).toEqual([
      '..data',
      '..data_9',
      'config-sources',
      'config-sources-overrides',
      'debug',
      'mine',
    ]);
    expect(read('one').debug).toBe('true');
    expect(lstatSync(join(folder, 'one', '..data')).isSymbolicLink()).toBe(true);
  });

  test('reads annotations of the node, and lets only allowed keys through', async () => {
    objects = {
      [MAP]: { data: { debug: 'false' } },
      '/api/v1/nodes/n1': {
        metadata: {
          labels: { 'config.cilium.io/mtu': '9000' },
          annotations: { 'config.cilium.io/debug': 'true', other: 'x' },
        },
      },
    };
    const sources = ['--source', 'config-map:kube-system/cilium-config,node:'];
    await build('allow', [...sources, '--allow-config-keys', 'mtu']);
    expect(read('allow')).toMatchObject({ debug: 'false', mtu: '9000' });
    expect(JSON.parse(read('allow')['config-sources-overrides'] ?? '')).toEqual({
      allowConfigKeys: ['mtu'],
      denyConfigKeys: null,
    });
    await build('deny', [...sources, '--deny-config-keys', 'mtu']);
    expect(read('deny')).toMatchObject({ debug: 'true' });
    expect(read('deny').mtu).toBeUndefined();
  });

  test('takes the older version of node configurations where there is no newer one', async () => {
    objects = {
      [OLD_NODE_CONFIGS]: { items: [nodeConfig('x', { matchLabels: {} }, { debug: 'old' })] },
      '/api/v1/nodes/n1': { metadata: {} },
    };
    const { stderr } = await build('old');
    expect(stderr).toContain('config-map:kube-system/cilium-config: not found, left out\n');
    expect(read('old').debug).toBe('old');
  });

  test('writes nothing when a source may not be read', async () => {
    objects = { [MAP]: 403 };
    const { stderr, code } = await build('none');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: GET .*\/namespaces\/kube-system\/configmaps\/cilium-config: no\n/);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  test('refuses a source of no kind', async () => {
    const { stderr, code } = await build('none', ['--source', 'secret:x']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: unknown config source secret\n/);
    expect(asked).toEqual([]);
  });
});
