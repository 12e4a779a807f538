import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DumpCluster, serveDumpCluster, unzipped } from '../helpers/dump-cluster.ts';
import { referenceArchive } from '../helpers/reference-archive.ts';
import { type RunResult, run } from '../helpers/run.ts';
import { zipOf } from '../helpers/zip.ts';

const KUBE_SYSTEM = '/apis/apps/v1/namespaces/kube-system/daemonsets';
const AGENTS = { metadata: { name: 'cilium', namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } } };
const NOW = Date.UTC(2026, 10, 29, 7, 5, 3);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kinds-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const from = (...argv: string[]) => run([...argv, '--from', 'dump.zip'], { cwd: folder });

/** The answers of an API server to what it is asked of itself. */
function api(groups: Readonly<Record<string, string>>): Record<string, object> {
  const resources = (groupVersion: string, names: readonly string[]) => ({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: names.map((name) => ({ name, kind: 'K', namespaced: false, verbs: ['list'] })),
  });
  const versions = Object.entries(groups).map(([name, version]) => ({
    name,
    versions: [{ groupVersion: `${name}/${version}`, version }],
  }));
  return {
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/api/v1': resources('v1', ['nodes', 'secrets', 'serviceaccounts/token']),
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: versions },
    ...Object.fromEntries(
      versions.flatMap(({ versions: of }) =>
        of.map(({ groupVersion }) => [`/apis/${groupVersion}`, resources(groupVersion, ['things'])]),
      ),
    ),
  };
}

/** Collects, and says what the features of the cluster were then and what they are of the archive. */
async function features(
  cluster: Partial<DumpCluster>,
  ...flags: string[]
): Promise<{ dump: RunResult; live: RunResult; of: RunResult }> {
  const answer = { stdout: '[{"name":"cilium_feature_x","value":1}]' };
  const other = (argv: readonly string[]) => (argv.includes('json') ? { stdout: '[]' } : {});
  await using server = await serveDumpCluster({
    nodes: 1,
    run: (argv) => (argv.includes('metrics') ? answer : argv[0] === 'cilium-dbg' ? other(argv) : undefined),
    api: () => '{}',
    ...cluster,
    lists: { [KUBE_SYSTEM]: { kind: 'DaemonSetList', items: [AGENTS] }, ...cluster.lists },
  });
  const options = {
    nowMs: NOW,
    cwd: folder,
    env: { KUBECONFIG: server.kubeconfig, CILIUM_TARGET: 'cluster' },
  };
  const dump = await run(
    ['sysdump', '--output-filename', 'dump', '--skip', 'gops,profiles,bugtool,logs,flows', ...flags],
    options,
  );
  const live = await run(['features', 'status'], options);
  return { dump, live, of: await from('features', 'status') };
}

test('what runs beside Cilium is told of an archive as it was, OpenShift and its version too', async () => {
  const version = { metadata: { name: 'version' }, status: { desired: { version: '4.20.1' } } };
  const { dump, live, of } = await features({
    answers: {
      ...api({ apps: 'v1', 'config.openshift.io': 'v1', 'route.openshift.io': 'v1' }),
      [`${KUBE_SYSTEM}/kube-proxy`]: { metadata: { name: 'kube-proxy', namespace: 'kube-system' } },
      '/apis/config.openshift.io/v1/clusterversions/version': version,
    },
    lists: { '/apis/config.openshift.io/v1/clusterversions': { kind: 'List', items: [version] } },
  });
  expect([dump.stderr, live.code, of.code]).toEqual(['', 0, 0]);
  expect(live.stdout).toMatch(/kube_proxy_enabled +1 .*\n.*node_local_dns +0 .*\n.*openshift_enabled +1 /);
  expect(live.stdout).toContain('version=4.20.1');
  expect(of.stdout).toBe(live.stdout);
});

test('the answers are as they came: no name in them is taken for a secret', async () => {
  const answers = api({ apps: 'v1', 'metrics.k8s.io': 'v1beta1' });
  const { live, of } = await features({ answers });
  expect([of.stdout, of.code]).toEqual([live.stdout, 0]);
  expect(live.stdout).toMatch(/openshift_enabled +0 /);
  const files = await unzipped(join(folder, 'dump.zip'));
  const [, text] = [...files].find(([name]) => name.startsWith('k8s-api-resources-')) ?? [];
  expect(String(text)).toContain('name: serviceaccounts/token');
  expect(String(text).match(/groupVersion: apps\/v1$/gm)?.length).toBe(2);
  expect(String(text)).not.toContain('REDACTED');
});

test('a version that does not answer is named, and the others are there', async () => {
  const answers = {
    ...api({ apps: 'v1', 'metrics.k8s.io': 'v1beta1' }),
    '/apis/metrics.k8s.io/v1beta1': 503,
  };
  const { dump, live, of } = await features({ answers });
  expect(dump.code).toBe(3);
  expect(dump.stdout).toMatch(/Collecting the kinds of the API server: \/apis\/metrics\.k8s\.io\/v1beta1: /);
  expect([of.stdout, of.code]).toEqual([live.stdout, 0]);
});

test('nothing is guessed where the API server refused to tell', async () => {
  const { live, of } = await features({ answers: { ...api({}), '/apis': 403 } });
  expect(of.stdout).not.toContain('openshift_enabled');
  expect(of.stderr).toContain('openshift_enabled: ');
  expect([live.code, of.code]).toEqual([3, 3]);
});

test('nothing is guessed of an archive of cilium-cli', async () => {
  writeFileSync(join(folder, 'dump.zip'), zipOf(referenceArchive()));
  const { stdout, stderr } = await from('features', 'status');
  expect(stdout).not.toMatch(/openshift_enabled|kube_proxy_enabled|node_local_dns/);
  expect(stderr).toContain('kube_proxy_enabled: dump.zip holds no daemonsets "kube-proxy"');
});

// differs: sysdump-bgp
test('objects of BGP are collected although it is not on', async () => {
  const list = '/apis/cilium.io/v2/ciliumbgppeerconfigs';
  const { dump } = await features({
    answers: api({}),
    lists: { [list]: { kind: 'CiliumBGPPeerConfigList', items: [{ metadata: { name: 'rack' } }] } },
  });
  expect(dump.code).toBe(0);
  const { stdout, code } = await from('bgp', 'config', 'peers', '-o', 'name');
  expect([stdout, code]).toEqual([expect.stringContaining('rack'), 0]);
  const none = await from('bgp', 'config', 'clusters');
  expect(none.stderr).toContain('the cluster has no ciliumbgpclusterconfigs');
});
