import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ProgramPod, servePrograms } from '../helpers/agent-programs.ts';
import { releaseSecret, startInstallCluster } from '../helpers/install-cluster.ts';
import { resetMesh, serveMesh } from '../helpers/mesh-cluster.ts';
import { fixture } from '../helpers/recordings.ts';
import { type RunResult, run } from '../helpers/run.ts';
import { ciliumConfig, runningPod, type StubCluster, serveStub } from '../helpers/stub-cluster.ts';

// Each output that cilium-cli is known by, byte for byte: what differs is mended in the sample, and has its row in
// docs/differences.md.

const { samples } = fixture<{ samples: { of: string; text: string }[] }>('cluster-samples.json');
const left = new Set(samples.map(({ of }) => of));
/** The bytes of a sample. */
function sample(of: string): string {
  left.delete(of);
  return samples.find((one) => one.of === of)?.text ?? `no sample of ${of}`;
}

/** The text with one place of it replaced. Throws where there is none. */
function instead(text: string, part: string | RegExp, by: string): string {
  const changed = text.replace(part, by);
  if (changed === text) throw new Error(`not in the sample: ${part}`);
  return changed;
}

const inCluster = ({ kubeconfig }: { kubeconfig: string }, ...argv: string[]): Promise<RunResult> =>
  run([...argv, '-n', 'kube-system'], { env: { KUBECONFIG: kubeconfig, CILIUM_TARGET: 'cluster' } });

afterAll(() => expect([...left]).toEqual([]));

describe('status', () => {
  let cluster: StubCluster;
  beforeAll(async () => {
    cluster = await serveStub(pendingRelay());
    cluster.exec = (_, [program, what]) => {
      if (program !== 'cilium-dbg') return 'is not there';
      return { stdout: what === 'endpoint' ? '[]' : '{"cilium":{"state":"Ok"}}' };
    };
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: cluster-status-twice, cluster-status-exit, cluster-status-unmanaged
  test.each([
    ['status (relay pod pending)', 'always'],
    ['status, escapes removed', 'never'],
  ])('%s', async (of, colour) => {
    const text = instead(sample(of), /(.*pod is pending\n)(.*pod is pending\n)/, '$1');
    expect(await inCluster(cluster, 'status', '--color', colour)).toEqual({
      stdout: instead(text, '2 warnings', '1 warnings'),
      stderr: '1 pod is not managed by Cilium: --unmanaged tells which, and why.\n',
      code: 1,
    });
  });

  test('asks agents without perl by their own command line, but for --agent-transport relay', async () => {
    const { stdout, code } = await inCluster(cluster, 'status', '--agent-transport', 'relay');
    expect(
      stdout.match(/unable to retrieve cilium status: .*"perl": executable file not found/g),
    ).toHaveLength(2);
    const json = await inCluster(cluster, 'status', '--agent-transport', 'cli', '-o', 'json');
    const said = { cilium: { state: 'Ok' } };
    const { cilium_status, cilium_endpoints } = JSON.parse(json.stdout);
    expect([cilium_status, cilium_endpoints, code]).toEqual([
      { 'cilium-1': said, 'cilium-2': said },
      { 'cilium-1': [], 'cilium-2': [] },
      1,
    ]);
  });

  // differs: cluster-error-line
  test('status timeout (stderr, after the status text)', async () => {
    const { stdout, stderr, code } = await inCluster(cluster, 'status', '--wait', '--wait-duration', '1s');
    const error = instead(sample('status timeout (stderr, after the status text)'), /^\n/, '');
    const told = instead(sample('status, escapes removed'), /(.*pod is pending\n)(.*pod is pending\n)/, '$1');
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr.startsWith(instead(told, '2 warnings', '1 warnings'))).toBe(true);
    expect(stderr).toContain(error);
  });
});

/** Two nodes, a relay that waits, and nine pods that Cilium manages. */
function pendingRelay(): Record<string, Record<string, unknown>> {
  const image = (name: string) => `quay.io/cilium/${name}:v1.20.0`;
  const pod = (name: string, labels: Record<string, string>, container: string, of: string) => {
    const [path, object] = runningPod(name, 'n1', labels, container);
    const hostNetwork = container !== 'hubble-relay';
    const spec = {
      ...{ ...(object.spec as object), hostNetwork },
      containers: [{ name: container, image: image(of) }],
    };
    return [path, { ...object, spec }] as [string, Record<string, unknown>];
  };
  const relay = pod(
    'hubble-relay-5d8c9',
    { 'app.kubernetes.io/name': 'hubble-relay', 'k8s-app': 'hubble-relay' },
    'hubble-relay',
    'hubble-relay',
  );
  const apps = '/apis/apps/v1/namespaces/kube-system';
  const ready = (n: number) => ({ replicas: n, readyReplicas: n, availableReplicas: n, updatedReplicas: n });
  const workload = (kind: string, name: string, status: object): [string, Record<string, unknown>] => [
    `${apps}/${kind}/${name}`,
    { metadata: { name, generation: 1 }, spec: {}, status: { observedGeneration: 1, ...status } },
  ];
  const counts = { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2 };
  const names = Array.from({ length: 9 }, (_, i) => `p${i}`);
  return {
    ...Object.fromEntries([
      pod('cilium-1', { 'k8s-app': 'cilium' }, 'cilium-agent', 'cilium'),
      pod('cilium-2', { 'k8s-app': 'cilium' }, 'cilium-agent', 'cilium'),
      pod(
        'cilium-operator-1',
        { 'io.cilium/app': 'operator', name: 'cilium-operator' },
        'cilium-operator',
        'operator-generic',
      ),
      [relay[0], { ...relay[1], status: { phase: 'Pending' } }],
      workload('daemonsets', 'cilium', { ...counts, numberReady: 2, numberAvailable: 2 }),
      workload('deployments', 'cilium-operator', ready(1)),
      workload('deployments', 'hubble-relay', { replicas: 1, updatedReplicas: 1, unavailableReplicas: 1 }),
      ciliumConfig({}),
      ...names.map((name) => [
        `/api/v1/pods/${name}`,
        { metadata: { name, namespace: 'a' }, spec: { nodeName: 'n1' }, status: { phase: 'Running' } },
      ]),
      ...names.map((name) => [
        `/apis/cilium.io/v2/ciliumendpoints/${name}`,
        { metadata: { name, namespace: 'a' } },
      ]),
    ]),
    ...(releaseSecret() as Record<string, Record<string, unknown>>),
  };
}

test('config view', async () => {
  const data = { 'cluster-name': 'kind-kind', 'bpf-lb-map-max': '65536', 'cluster-id': '0' };
  await using cluster = await serveStub(Object.fromEntries([ciliumConfig(data)]));
  const { stdout, stderr, code } = await inCluster(cluster, 'config', 'view');
  expect([stdout, stderr, code]).toEqual([sample('config view'), '', 0]);
});

describe('bgp', () => {
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  const families = [
    { afi: 'ipv4', safi: 'unicast', received: 2, advertised: 1 },
    { afi: 'ipv6', safi: 'unicast' },
  ];
  const peer = {
    ...{ 'local-asn': 65001, 'peer-asn': 65000, 'peer-address': '172.18.0.5', 'peer-port': 179 },
    ...{ 'session-state': 'established', 'uptime-nanoseconds': 63_000_000_000, families },
  };
  const path = {
    family: { afi: 'ipv4', safi: 'unicast' },
    nlri: { base64: base64('180af401') },
    'age-nanoseconds': 724_000_000_000,
    'path-attributes': [{ base64: base64('40010100') }, { base64: base64('40030400000000') }],
  };
  const routes = [{ prefix: '10.244.1.0/24', 'router-asn': 65001, paths: [path] }];
  const agent: ProgramPod = {
    name: 'cilium-1',
    node: 'kind-worker',
    run: ([program, , what]) =>
      program === 'cilium-dbg' ? { stdout: JSON.stringify(what === 'peers' ? [peer] : routes) } : undefined,
  };

  test.each([
    ['bgp peers', ['peers']],
    ['bgp routes available ipv4 unicast', ['routes', 'available', 'ipv4', 'unicast']],
  ])('%s', async (of, words) => {
    await using cluster = await servePrograms([agent]);
    const { stdout, stderr, code } = await inCluster(cluster, 'bgp', ...words);
    expect([stdout, stderr, code]).toEqual([sample(of), '', 0]);
  });
});

test('encryption status', async () => {
  const nodes = ['n1', 'n2', 'n3'];
  await using cluster = await serveStub(
    Object.fromEntries([
      ...nodes.map((node) => runningPod(`cilium-${node}`, node, { 'k8s-app': 'cilium' })),
      ciliumConfig({ 'enable-ipsec': 'true', 'enable-ipv4': 'true', 'routing-mode': 'tunnel' }),
    ]),
  );
  const ipsec = { 'keys-in-use': 8, 'max-seq-number': '0x2a/0xffffffff', 'error-count': 0 };
  cluster.exec = (_, [program, what]) => {
    if (program !== 'cilium-dbg') return 'is not there';
    return { stdout: what === 'version' ? '1.20.0' : JSON.stringify({ mode: 'IPsec', ipsec }) };
  };
  const { stdout, stderr, code } = await inCluster(cluster, 'encryption', 'status');
  expect([stdout, stderr, code]).toEqual([sample('encryption status'), '', 0]);
});

// differs: clustermesh-nodeport
test('clustermesh status', async () => {
  await using cluster = await serveMesh();
  resetMesh(cluster);
  const warning =
    '⚠️  Service type NodePort detected! Service may fail when nodes are removed from the cluster!\n';
  const { stdout, stderr, code } = await inCluster(cluster, 'clustermesh', 'status');
  expect([stdout, stderr, code]).toEqual([`${warning}${sample('clustermesh status')}`, '', 0]);
});

// differs: features-openshift
test('features status (first block)', async () => {
  const apps = '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy';
  await using cluster = await servePrograms(
    [{ name: 'cilium-1', node: 'n1', run: () => ({ stdout: '[]' }) }],
    { '/apis': { kind: 'APIGroupList', groups: [] }, [apps]: { metadata: { name: 'kube-proxy' } } },
  );
  const { stdout, code } = await inCluster(cluster, 'features', 'status');
  const row = 'Yes      openshift_enabled           0             \n';
  expect(stdout.slice(0, stdout.indexOf('\n\n') + 1)).toBe(
    `${sample('features status (first block)')}${row}`,
  );
  expect(code).toBe(0);
});

// differs: uninstall-test-namespaces, uninstall-plan
test('uninstall --wait', async () => {
  const labels = { 'app.kubernetes.io/name': 'cilium-cli' };
  await using here = await startInstallCluster({
    ...releaseSecret(),
    '/api/v1/namespaces/cilium-test': { metadata: { name: 'cilium-test', labels } },
    '/api/v1/nodes/kind-worker': {
      metadata: { name: 'kind-worker', annotations: { 'io.cilium.network.x': '1' } },
    },
  });
  const { stdout, stderr, code } = await here.run(['uninstall', '--wait', '--yes']);
  const once = instead(
    sample('uninstall --wait'),
    /(Uninstalling Cilium\n)🔥 Deleting pods.*\n.*\n.*terminated\.\.\.\n/u,
    '$1',
  );
  expect([stdout, code]).toEqual([once, 0]);
  expect(stderr).toContain('This goes:\n');
});

// differs: cluster-output
test.each([
  ['status', 'Use -o summary, -o junit, -o sarif, -o github, -o markdown, -o json'],
  ['bgp peers', 'json'],
  ['encryption status', 'summary, json'],
  ['multicast list group', 'json'],
  ['features status', 'tab, markdown, json'],
  ['clustermesh status', 'summary, json'],
])('%s -o with a form that there is none of', async (verb, forms) => {
  const { stdout, stderr, code } = await run([...verb.split(' '), '--cluster', '-o', 'nonsense']);
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain(forms);
});
