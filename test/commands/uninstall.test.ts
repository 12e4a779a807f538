import { describe, expect, test } from '@jest/globals';
import { HELM_SCRIPT, releaseSecret, startInstallCluster } from '../helpers/install-cluster.ts';

const MANIFEST = `apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
---
apiVersion: v1
kind: Secret
metadata: {name: cilium-ca, namespace: kube-system, annotations: {helm.sh/resource-policy: keep}}
`;
const CRD = {
  metadata: { name: 'ciliumnetworkpolicies.cilium.io' },
  spec: {
    group: 'cilium.io',
    names: { kind: 'CiliumNetworkPolicy', plural: 'ciliumnetworkpolicies' },
    versions: [{ name: 'v2', storage: true }],
  },
};
const CRD_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ciliumnetworkpolicies.cilium.io';
const FOREIGN = {
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com': {
    metadata: { name: 'things.example.com' },
    spec: { group: 'notcilium.io', names: { kind: 'Thing', plural: 'things' }, versions: [{ name: 'v1' }] },
  },
  // Tetragon's.
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tracingpolicies.cilium.io': {
    metadata: { name: 'tracingpolicies.cilium.io' },
    spec: {
      group: 'cilium.io',
      names: { kind: 'TracingPolicy', plural: 'tracingpolicies' },
      versions: [{ name: 'v1alpha1' }],
    },
  },
};
const CLUSTER = {
  ...releaseSecret({ manifest: MANIFEST }),
  ...FOREIGN,
  '/api/v1': {
    kind: 'APIResourceList',
    resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true }],
  },
  [CRD_PATH]: CRD,
  '/apis/cilium.io/v2/ciliumnetworkpolicies/a': {
    metadata: { name: 'a', namespace: 'app', finalizers: ['x'] },
  },
  '/apis/cilium.io/v2/ciliumnetworkpolicies/b': { metadata: { name: 'b', namespace: 'app' } },
  '/api/v1/namespaces/cilium-test-1': {
    metadata: { name: 'cilium-test-1', labels: { 'app.kubernetes.io/name': 'cilium-cli' } },
  },
  '/api/v1/namespaces/cilium-tests': { metadata: { name: 'cilium-tests' } },
  '/api/v1/namespaces/kube-system': { metadata: { name: 'kube-system' } },
  '/api/v1/namespaces/kube-system/secrets/cilium-ipsec-keys': { metadata: { name: 'cilium-ipsec-keys' } },
  '/api/v1/nodes/n1': {
    metadata: {
      name: 'n1',
      annotations: {
        'io.cilium.network.x': '1',
        'network.cilium.io/ipv4-pod-cidr': '10.0.0.0/24',
        'a.io/b': 'c',
      },
    },
    spec: { taints: [{ key: 'node.cilium.io/agent-not-ready' }, { key: 'other' }] },
  },
};
const STAYS_ON_NODES = 'the state of Cilium on the nodes: CNI configuration, BPF maps, routes, rules';

// differs: uninstall-plan
test('a dry run says what goes and what stays', async () => {
  await using here = await startInstallCluster(CLUSTER);
  expect(await here.run(['uninstall', '--dry-run'])).toEqual({
    stdout: `Uninstalling from the namespace kube-system of the context k.
This goes:
  release cilium with 1 object: 1 ConfigMap
  namespace cilium-test-1 with all that is in it
  annotations of Cilium on 1 node: n1
This stays:
  Secret kube-system/cilium-ca (the chart says so)
  1 definition (CRD) of Cilium with their objects: ciliumnetworkpolicies.cilium.io 2
  finalizers on 1 object in the namespace app, which cannot be deleted while nobody takes them away
  secrets: cilium-ipsec-keys
  taint node.cilium.io/agent-not-ready on 1 node, which keeps pods away: n1
  ${STAYS_ON_NODES}
`,
    stderr: '',
    code: 0,
  });
  expect([here.changes, here.helm.calls()]).toEqual([[], []]);
});

test('a release without objects is told as that', async () => {
  await using here = await startInstallCluster(releaseSecret());
  const { stdout, code } = await here.run(['uninstall', '--dry-run']);
  expect([stdout, code]).toEqual([expect.stringContaining('\n  release cilium with 0 objects\n'), 0]);
});

// differs: uninstall-test-namespaces
describe('namespaces of tests', () => {
  const path = (name: string) => `/api/v1/namespaces/${name}`;
  const ours = {
    'app.kubernetes.io/managed-by': 'cilium-toolkit',
    'app.kubernetes.io/part-of': 'connectivity-test',
  };
  const cluster = {
    ...releaseSecret(),
    [path('cilium-test')]: { metadata: { name: 'cilium-test' } },
    [path('cilium-test-1')]: { metadata: { name: 'cilium-test-1', labels: ours } },
    [path('probe')]: { metadata: { name: 'probe', labels: ours } },
    [path('shop')]: { metadata: { name: 'shop', labels: { 'app.kubernetes.io/managed-by': 'Helm' } } },
  };
  const gone = (here: { changes: { method: string; path: string }[] }) =>
    here.changes.filter(({ method }) => method === 'DELETE').map((each) => each.path);

  test('one that has only the name of them stays, and is told', async () => {
    await using here = await startInstallCluster(cluster);
    const { stderr, code } = await here.run(['uninstall']);
    const left =
      '  namespace cilium-test, which has the name of one of tests but not their label; it goes by: kubectl delete namespace cilium-test\n';
    expect(stderr).toContain(`This stays:\n${left}`);
    expect(stderr).toContain(`Still there:\n${left}`);
    expect([code, gone(here)]).toEqual([0, [`${path('cilium-test-1')}/pods`, path('cilium-test-1')]]);
  });

  test.each(['probe', 'cilium-test'])('--test-namespace %s takes that one alone', async (name) => {
    await using here = await startInstallCluster(cluster);
    const { stderr, code } = await here.run(['uninstall', '--test-namespace', name]);
    expect(stderr).toContain(`  namespace ${name} with all that is in it\n`);
    expect([code, gone(here)]).toEqual([0, [`${path(name)}/pods`, path(name)]]);
  });

  test('--test-namespace refuses one that is of somebody else, and tells of one that is not there', async () => {
    await using here = await startInstallCluster(cluster);
    const { stderr, code } = await here.run(['uninstall', '--test-namespace', 'shop', '--yes']);
    expect(stderr).toContain('the namespace shop is not of connectivity tests: nothing was changed\n');
    expect([code, here.changes, here.helm.calls()]).toEqual([1, [], []]);
    const none = await here.run(['uninstall', '--test-namespace', 'nowhere', '--dry-run']);
    expect([none.stderr, none.code]).toEqual(['Note: there is no namespace "nowhere" of tests.\n', 0]);
  });
});

describe('in earnest', () => {
  // differs: uninstall-test-namespaces, uninstall-annotations
  test('each step is told, and it is looked again', async () => {
    await using here = await startInstallCluster(CLUSTER);
    const { stdout, stderr, code } = await here.run(['uninstall']);
    expect(stdout).toBe(`🔥 Deleting pods in cilium-test-1 namespace...
🔥 Deleting cilium-test-1 namespace...
⌛ Uninstalling Cilium
🔥 Cleaning up Cilium node annotations...
  Removing annotations from node n1
`);
    expect(stderr.slice(stderr.indexOf('Still there:'))).toContain('ciliumnetworkpolicies.cilium.io 2\n');
    expect(stderr).toContain('    kubectl taint node n1 node.cilium.io/agent-not-ready-\n');
    expect(code).toBe(0);
    expect(here.helm.calls().map(({ argv }) => argv)).toEqual([
      ['uninstall', 'cilium', '--timeout', '300s', '--namespace', 'kube-system', '--kube-context', 'k'],
    ]);
    expect(here.changes).toEqual([
      { method: 'DELETE', path: '/api/v1/namespaces/cilium-test-1/pods', body: undefined },
      { method: 'DELETE', path: '/api/v1/namespaces/cilium-test-1', body: undefined },
      {
        method: 'PATCH',
        path: '/api/v1/nodes/n1',
        body: {
          metadata: { annotations: { 'io.cilium.network.x': null, 'network.cilium.io/ipv4-pod-cidr': null } },
        },
      },
    ]);
  });

  test('an object of the release that is still there is a failure', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    await using here = await startInstallCluster({
      ...CLUSTER,
      [path]: { metadata: { name: 'cilium-config' } },
    });
    const { stderr, code } = await here.run(['uninstall']);
    expect(stderr).toContain('Still there:\n  objects of the release: ConfigMap kube-system/cilium-config\n');
    expect(code).toBe(1);
  });

  test('--crds removes the definitions, and lets held objects go', async () => {
    await using here = await startInstallCluster(CLUSTER);
    const { stdout, code } = await here.run(['uninstall', '--crds']);
    expect(stdout).toContain('🔥 Deleting 1 CRD of Cilium...\n');
    expect(here.changes).toContainEqual({ method: 'DELETE', path: CRD_PATH, body: undefined });
    expect(here.changes.some(({ path }) => /example\.com|tracingpolicies/.test(path))).toBe(false);
    expect(code).toBe(0);
  });

  test('--crds of a release that is not there refuses while agents run', async () => {
    const agents = '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium';
    const labels = { 'k8s-app': 'cilium' };
    await using here = await startInstallCluster({
      [CRD_PATH]: CRD,
      [agents]: { metadata: { name: 'cilium', namespace: 'kube-system', labels } },
    });
    const { stderr, code } = await here.run([
      'uninstall',
      '--crds',
      '--yes',
      '--helm-release-name',
      'another',
    ]);
    expect(stderr).toContain(
      'there is no Helm release another in the namespace kube-system, and Cilium runs there: nothing was changed\n',
    );
    expect([code, here.changes, here.helm.calls()]).toEqual([1, [], []]);
  });

  test('what may not be read is told, and exit code 3 says that not all is known', async () => {
    await using here = await startInstallCluster(CLUSTER, { refused: ['/api/v1/nodes'] });
    const { stderr, code } = await here.run(['uninstall']);
    expect(stderr).toContain('Not looked at: User "u" cannot list resource "x" at /api/v1/nodes\n');
    expect(code).toBe(3);
  });

  test("Amazon's own network comes back, and where that cannot be seen it is said how to look", async () => {
    const path = '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node';
    const nodeSelector = { 'io.cilium/aws-node-enabled': 'true' };
    const off = {
      ...releaseSecret(),
      [path]: { metadata: { name: 'aws-node' }, spec: { template: { spec: { nodeSelector } } } },
    };
    await using here = await startInstallCluster(off);
    const { stdout, code } = await here.run(['uninstall']);
    expect([stdout, code]).toEqual([expect.stringContaining('⏪ Undoing the changes to the "aws-node"'), 0]);
    expect(here.changes.map(({ method, path }) => `${method} ${path}`)).toEqual([`PATCH ${path}`]);
    await using blind = await startInstallCluster(off, { refused: [path] });
    const unseen = await blind.run(['uninstall']);
    expect(unseen.stderr).toContain(
      `Not looked at: DaemonSet kube-system/aws-node: User "u" cannot list resource "x" at ${path}. On EKS Amazon's own network is off while it has the node selector io.cilium/aws-node-enabled: kubectl -n kube-system get daemonset aws-node -o yaml\n`,
    );
    expect([unseen.code, blind.changes]).toEqual([3, []]);
  });

  // differs: uninstall-hubble
  test('--wait ends when the time is up', async () => {
    const pod = '/api/v1/namespaces/kube-system/pods/relay';
    await using here = await startInstallCluster({
      ...CLUSTER,
      [pod]: { metadata: { name: 'relay', namespace: 'kube-system' } },
    });
    const { stdout, stderr, code } = await here.run(['uninstall', '--wait', '--timeout', '10s']);
    expect(stdout).toContain(
      '⌛ Waiting to disable Hubble before uninstalling Cilium\n⌛ Uninstalling Cilium\n',
    );
    expect(stderr).toContain('  pods of hubble-relay did not end in time\n');
    expect(code).toBe(1);
  });

  test('a release that Flux owns is not touched', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    const labels = { 'helm.toolkit.fluxcd.io/name': 'net' };
    await using here = await startInstallCluster({
      ...CLUSTER,
      [path]: { metadata: { name: 'cilium-config', labels } },
    });
    const { stderr, code } = await here.run(['uninstall', '--yes']);
    expect(stderr).toContain(
      'Unable to uninstall Cilium:  Flux (net) owns this release: nothing was changed',
    );
    expect([code, here.changes, here.helm.calls()]).toEqual([1, [], []]);
  });

  test('without helm the command is printed', async () => {
    await using here = await startInstallCluster(CLUSTER);
    const env = { CILIUM_HELM: '', PATH: '/nowhere' };
    const { stdout, stderr, code } = await here.run(['uninstall'], { env });
    expect([stdout, code]).toEqual(['helm uninstall cilium --namespace kube-system\n', 1]);
    expect(stderr).toContain('there is no program helm on PATH: nothing was changed');
    expect(here.changes).toEqual([]);
  });

  test('a hook that fails leaves the release, and it says so', async () => {
    await using here = await startInstallCluster(CLUSTER, {
      script: `case "$1" in uninstall) echo 'Error: failed to delete: hook x' >&2; exit 1;; esac\n${HELM_SCRIPT}`,
    });
    const { stderr, code } = await here.run(['uninstall']);
    expect(stderr).toContain(
      'Error: Unable to uninstall Cilium:  failed to delete: hook x\nRevision 1 of the release is left in the state "deployed"',
    );
    expect([code, here.changes.some(({ path }) => path.includes('/nodes/'))]).toEqual([1, false]);
  });
});

describe('the nodes themselves', () => {
  test('need an image', async () => {
    await using here = await startInstallCluster(CLUSTER);
    const { stderr, code } = await here.run(['uninstall', '--node-cleanup']);
    expect(stderr).toContain('--node-cleanup needs --image');
    expect(code).toBe(1);
  });
});
