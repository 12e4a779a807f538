import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { runningImages, unlikeChart } from '../../src/cluster/versions.ts';
import { answerJson, refusal, serveKube } from '../helpers/kube.ts';
import { run } from '../helpers/run.ts';

const SECRETS = '/api/v1/namespaces/kube-system/secrets';
const PODS = '/api/v1/namespaces/kube-system/pods';
const packed = (version: string) => {
  const release = {
    name: 'cilium',
    version: 1,
    info: { status: 'deployed' },
    chart: { metadata: { version } },
  };
  const inner = gzipSync(JSON.stringify(release)).toString('base64');
  return Buffer.from(inner).toString('base64');
};
const SECRET = { metadata: { name: 'sh.helm.release.v1.cilium.v1', labels: { status: 'deployed' } } };
const pod = (label: string, container: string, image: string, node: string) => {
  const [key = '', value = ''] = label.split('=');
  return {
    metadata: { name: node, labels: { [key]: value } },
    spec: {
      nodeName: node,
      containers: [
        { name: 'other', image: 'x:1' },
        { name: container, image },
      ],
    },
  };
};
const agent = (version: string, node: string) =>
  pod('k8s-app=cilium', 'cilium-agent', `quay.io/cilium/cilium:${version}@sha256:0123`, node);

interface Cluster {
  chart?: string;
  pods?: object[];
  denied?: 'secrets' | 'all';
}

async function version({ chart, pods = [], denied }: Cluster, ...argv: string[]) {
  await using server = await serveKube((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const kind = pathname.split('/').at(-1) ?? '';
    if (denied === 'all' || (denied === 'secrets' && pathname.startsWith(SECRETS)))
      return answerJson(response, refusal(403, 'Forbidden', `no ${kind} for you`), 403);
    if (pathname === SECRETS) return answerJson(response, { items: chart ? [SECRET] : [] });
    if (pathname === `${SECRETS}/${SECRET.metadata.name}`)
      return answerJson(response, { ...SECRET, data: { release: packed(chart ?? '') } });
    answerJson(response, { items: pathname === PODS ? pods : [] });
  });
  const env = { KUBECONFIG: server.kubeconfig, CILIUM_TARGET: 'cluster' };
  return await run(['version', ...argv], { env });
}

const OWN =
  /^cilium-cli: \S+ compiled with node v\S+ on \w+\/\w+\ncilium image \(default\): none\ncilium image \(stable\): unknown\n/;

describe('version of a cluster', () => {
  // differs: version-cluster
  test('tells the version of the chart', async () => {
    const { stdout, stderr, code } = await version({ chart: '1.20.0', pods: [agent('v1.20.0', 'n1')] });
    expect(stdout).toMatch(OWN);
    expect(stdout.split('\n').slice(3)).toEqual(['cilium image (running): 1.20.0', '']);
    expect([stderr, code]).toEqual(['', 0]);
  });

  test('tells what runs that is of another one', async () => {
    const pods = [
      agent('v1.20.0', 'n2'),
      agent('v1.19.3', 'n3'),
      agent('v1.19.3', 'n1'),
      pod('k8s-app=cilium-envoy', 'cilium-envoy', 'quay.io/cilium/cilium-envoy:v1.34.4', 'n1'),
    ];
    expect((await version({ chart: '1.20.0', pods })).stdout.split('\n').slice(3)).toEqual([
      'cilium image (running): 1.20.0',
      'cilium-agent (running): v1.19.3 in 2 pods',
      '',
    ]);
    const { images, chart } = JSON.parse((await version({ chart: '1.20.0', pods }, '-o', 'json')).stdout);
    expect(chart).toBe('1.20.0');
    expect(
      images.map(({ component, version: of, nodes }: Record<string, unknown>) => [component, of, nodes]),
    ).toEqual([
      ['cilium-agent', 'v1.19.3', ['n1', 'n3']],
      ['cilium-agent', 'v1.20.0', ['n2']],
      ['cilium-envoy', 'v1.34.4', ['n1']],
    ]);
  });

  test('without a Helm release tells what runs', async () => {
    const { stdout, code } = await version({ pods: [agent('v1.20.0', 'n1')] });
    expect(stdout.split('\n').slice(3)).toEqual([
      'cilium image (running): unknown. Unable to obtain cilium version. Reason: release: not found',
      'cilium-agent (running): v1.20.0 in 1 pod',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('says what could not be read', async () => {
    const some = await version({ chart: '1.20.0', pods: [agent('v1.20.0', 'n1')], denied: 'secrets' });
    expect(some.stdout).toContain('Reason: no secrets for you\n');
    expect([some.stderr, some.code]).toEqual(['Not all could be read: no secrets for you\n', 3]);
    const all = await version({ denied: 'all' });
    expect(all.stdout).toContain('Reason: no secrets for you\n');
    expect(all.stderr).toMatch(/no (?:secrets|pods) for you/);
    expect(all.code).toBe(1);
    const none = await version({});
    expect(none.stderr).toContain('Cilium was not found in the namespace kube-system');
    expect(none.code).toBe(1);
  });

  test('--client asks nobody', async () => {
    const { stdout, code } = await run(['version', '--client'], { env: { KUBECONFIG: '/nowhere' } });
    expect(stdout.replace(OWN, '')).toBe('');
    expect(code).toBe(0);
  });
});

test('images of which the version is not told are those of no chart', () => {
  const [image] = runningImages([
    {
      node: 'n',
      labels: { 'k8s-app': 'cilium' },
      containers: [{ name: 'cilium-agent', image: 'host:5000/cilium' }],
    },
  ]);
  expect(image?.version).toBe('');
  expect(unlikeChart(image ? [image] : [], '1.20.0')).toHaveLength(1);
});
