import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test as when } from '@jest/globals';
import { loopbackCertificate } from '../src/lab/kube/certificate.ts';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

const HOME = '/api/v1/namespaces/kube-system';
const CA = loopbackCertificate(Date.now()).cert;
const HELMS = ['HELM3', 'HELM4'];

const folder = mkdtempSync(join(tmpdir(), 'mesh-e2e-'));
let servers: ApiServer[] = [];
let config = '';

/** The charts of the two clusters: the first one takes a list of clusters, the second one a map. */
const CHARTS = ['1.19.0', '1.20.0'];
const BEFORE: object[] = [
  { clustermesh: { config: { clusters: [{ name: 'old', ips: ['192.0.2.9'], port: 1 }] } }, kept: { a: 1 } },
  {
    clustermesh: {
      config: { clusters: { old: { port: 1 }, c1: { enabled: false, address: 'x', port: 1 } } },
    },
    kept: { a: 1 },
  },
];

function chart(version: string): string {
  const path = join(folder, `chart-${version}`);
  mkdirSync(join(path, 'templates'), { recursive: true });
  writeFileSync(join(path, 'Chart.yaml'), `apiVersion: v2\nname: cilium\nversion: ${version}\n`);
  writeFileSync(join(path, 'values.yaml'), 'clustermesh: {config: {enabled: false}}\n');
  writeFileSync(
    join(path, 'templates', 'shown.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shown}\ndata: {values: {{ toJson .Values.clustermesh | quote }}}\n',
  );
  return path;
}

const helm = (program: string, context: string, ...words: string[]) =>
  execFileSync(program, [...words, '-n', 'kube-system', '--kubeconfig', config, '--kube-context', context], {
    encoding: 'utf8',
  });
const valuesOf = (program: string, context: string) =>
  JSON.parse(helm(program, context, 'get', 'values', 'cilium', '-o', 'json'));
const base64 = (text: string) => Buffer.from(text).toString('base64');

beforeAll(async () => {
  servers = [await startApiServer(), await startApiServer()];
  const read = (server: ApiServer) => JSON.parse(readFileSync(server.kubeconfig('admin'), 'utf8'));
  const users = ['admin', 'viewer'];
  config = join(folder, 'config');
  writeFileSync(
    config,
    JSON.stringify({
      clusters: servers.map((server, i) => ({ ...read(server).clusters[0], name: `c${i + 1}` })),
      contexts: servers.flatMap((_, i) =>
        users.map((user) => ({
          name: user === 'admin' ? `c${i + 1}` : `${user}-c${i + 1}`,
          context: { cluster: `c${i + 1}`, user },
        })),
      ),
      users: users.map((name) => ({ name, user: { token: name } })),
      'current-context': 'c1',
    }),
  );
  for (const [i, server] of servers.entries()) {
    const objects: [string, string, object][] = [
      [
        'configmaps',
        'cilium-config',
        { data: { 'cluster-id': `${i + 1}`, 'cluster-name': `c${i + 1}`, 'routing-mode': 'native' } },
      ],
      ['secrets', 'cilium-ca', { data: { 'ca.crt': base64(CA) } }],
      ['secrets', 'clustermesh-apiserver-remote-cert', { data: { 'ca.crt': base64(CA) } }],
      ['services', 'clustermesh-apiserver', { spec: { type: 'ClusterIP', ports: [{ port: 2379 }] } }],
    ];
    for (const [kind, name, object] of objects) {
      const { status, body } = await server.call('POST', `${HOME}/${kind}`, {
        metadata: { name },
        ...object,
      });
      if (status !== 201) throw new Error(body);
    }
  }
});
afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const mesh = (program: string, ...argv: string[]) =>
  run(['clustermesh', ...argv, '-n', 'kube-system'], {
    nowMs: Date.now(),
    env: { KUBECONFIG: config, CILIUM_HELM: program, PATH: process.env.PATH ?? '' },
  });

describe.each(HELMS)('%s', (name) => {
  const program = process.env[name] ?? '';
  const isThere = existsSync(program);
  const test = isThere ? when : when.skip;
  beforeAll(() => {
    if (!isThere) return;
    for (const [i, version] of CHARTS.entries()) {
      const values = join(folder, 'values.json');
      writeFileSync(values, JSON.stringify(BEFORE[i]));
      helm(program, `c${i + 1}`, 'install', 'cilium', chart(version), '--values', values);
    }
  });
  afterAll(() => {
    if (isThere) for (const i of [1, 2]) helm(program, `c${i}`, 'uninstall', 'cilium');
  });

  test('clusters are connected and disconnected, and all other values stay', async () => {
    const [one = '', two = ''] = await Promise.all(
      servers.map(async (server) => {
        const { body } = await server.call('GET', `${HOME}/services/clustermesh-apiserver`);
        return JSON.parse(body).spec.clusterIP as string;
      }),
    );
    const connected = await mesh(program, 'connect', '--destination-context', 'c2');
    expect(connected.stdout).toMatch(/✅ Connected cluster c1 <=> c2!\n$/);
    expect(connected.code).toBe(0);
    expect(valuesOf(program, 'c1')).toEqual({
      clustermesh: {
        config: {
          enabled: true,
          clusters: [
            { name: 'old', ips: ['192.0.2.9'], port: 1 },
            { name: 'c2', ips: [two], port: 2379 },
          ],
        },
      },
      kept: { a: 1 },
    });
    expect(valuesOf(program, 'c2')).toEqual({
      clustermesh: {
        config: { enabled: true, clusters: { old: { port: 1 }, c1: { ips: [one], port: 2379 } } },
      },
      kept: { a: 1 },
    });
    const shown = async () => {
      const { body } = (await servers[1]?.call('GET', `${HOME}/configmaps/shown`)) ?? { body: '' };
      return JSON.parse(JSON.parse(body).data.values).config.clusters;
    };
    expect((await shown()).c1).toEqual({ ips: [one], port: 2379 });

    const parted = await mesh(program, 'disconnect', '--destination-context', 'c2');
    expect([parted.code, parted.stderr]).toEqual([0, '']);
    expect(valuesOf(program, 'c1').clustermesh.config.clusters).toEqual([
      { name: 'old', ips: ['192.0.2.9'], port: 1 },
    ]);
    expect(valuesOf(program, 'c2').clustermesh.config.clusters).toEqual({ old: { port: 1 } });
    // Helm that is told to reuse values renders what was taken away.
    expect(await shown()).toEqual({ old: { port: 1 } });
  });

  test('the mesh is enabled and disabled', async () => {
    expect((await mesh(program, 'enable', '--service-type', 'NodePort')).code).toBe(0);
    const { useAPIServer, apiserver } = valuesOf(program, 'c1').clustermesh;
    expect([useAPIServer, apiserver.service]).toEqual([true, { type: 'NodePort' }]);
    expect((await mesh(program, 'disable', '--context', 'c2')).code).toBe(0);
    expect(valuesOf(program, 'c2').clustermesh).toMatchObject({
      useAPIServer: false,
      config: { enabled: false, clusters: [] },
    });
    expect(valuesOf(program, 'c2').kept).toEqual({ a: 1 });
  });

  test('who may not read the release of the other cluster is told so, and nothing is changed', async () => {
    const before = valuesOf(program, 'c1');
    const { stderr, code } = await mesh(program, 'connect', '--destination-context', 'viewer-c2');
    expect(stderr).toContain(
      'Unable to connect cluster: secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" in the namespace "kube-system"',
    );
    expect([code, valuesOf(program, 'c1')]).toEqual([1, before]);
  });
});
