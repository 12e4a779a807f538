import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { HelmCall } from '../helpers/fake-helm.ts';
import { HELM_SCRIPT, releaseSecret, startInstallCluster } from '../helpers/install-cluster.ts';

const PROXY = {
  '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy': { metadata: { name: 'kube-proxy' } },
};
const CHART = ['--chart', '/chart'];
const node = (labels: object) => ({ '/api/v1/nodes/n1': { metadata: { name: 'n1', labels } } });
/** The values of a run, later ones over earlier ones, by top name. */
const valuesOf = (call: HelmCall | undefined) =>
  Object.assign({}, ...(call?.values ?? []).map(({ text }) => JSON.parse(text)));
const installOf = (calls: HelmCall[]) => calls.find(({ argv }) => argv[0] === 'install');

describe('what is found out', () => {
  const lines = (...more: string[]) => `${more.join('\n')}\n`;
  const VERSION = 'ℹ️  Using Cilium version 1.20.0';
  const HAS_PROXY = '🔮 Auto-detected kube-proxy has been installed';

  test.each([
    {
      names: { cluster: 'kind-a', context: 'kind-a' },
      kind: 'kind',
      cluster: 'kind-a',
      values: { routingMode: 'tunnel', tunnelProtocol: 'vxlan', ipam: { mode: 'kubernetes' } },
    },
    { names: { context: 'minikube' }, kind: 'minikube', cluster: 'c', values: { routingMode: 'tunnel' } },
    {
      names: { cluster: 'arn:aws:eks:eu:1:cluster/prod', context: 'x.eksctl.io' },
      objects: node({}),
      kind: undefined,
      cluster: 'arn-aws-eks-eu-1-cluster-prod',
      values: { routingMode: 'tunnel' },
    },
    {
      names: { cluster: 'prod.eu-west-1.eksctl.io' },
      kind: 'EKS',
      cluster: 'prod',
      values: { routingMode: 'native', eni: { enabled: true }, ipam: { mode: 'eni' } },
    },
    {
      names: { cluster: 'microk8s-cluster' },
      kind: 'microk8s',
      cluster: 'microk8s-cluster',
      values: { daemon: { runPath: '/var/snap/microk8s/current/var/run/cilium' } },
    },
    {
      names: { cluster: 'rancher-desktop' },
      kind: 'rancher-desktop',
      cluster: 'rancher-desktop',
      values: { cni: { binPath: '/usr/libexec/cni' } },
    },
    {
      names: { cluster: 'my_own.one' },
      objects: node({ 'node-role.kubernetes.io/master': 'true', 'node.kubernetes.io/instance-type': 'k3s' }),
      kind: 'K3s',
      cluster: 'my-own-one',
      values: { routingMode: 'tunnel' },
    },
    {
      objects: { '/apis/route.openshift.io': { kind: 'APIGroup' } },
      kind: 'OpenShift',
      cluster: 'c',
      values: {},
    },
  ])('$names $kind', async ({ names, objects = {}, kind, cluster, values }) => {
    await using here = await startInstallCluster({ ...PROXY, ...objects }, { names: names ?? {} });
    const { stdout, code } = await here.run(['install', ...CHART]);
    expect([stdout, code]).toEqual([
      lines(
        ...(kind ? [`🔮 Auto-detected Kubernetes kind: ${kind}`] : []),
        ...[VERSION, `🔮 Auto-detected cluster name: ${cluster}`, ...(kind === 'K3s' ? [] : [HAS_PROXY])],
      ),
      0,
    ]);
    expect(valuesOf(installOf(here.helm.calls()))).toMatchObject({
      operator: { replicas: 1 },
      cluster: { name: cluster },
      ...values,
    });
  });

  // differs: install-cluster-name
  test('a name that the chart would refuse is made one that it takes', async () => {
    await using here = await startInstallCluster(PROXY, { names: { cluster: `Prod/${'x'.repeat(40)}` } });
    const { stdout } = await here.run(['install', ...CHART]);
    expect(stdout).toContain(`🔮 Auto-detected cluster name: prod-${'x'.repeat(27)}\n`);
  });

  test('where no kube-proxy runs Cilium takes its place; what the user says goes before', async () => {
    await using here = await startInstallCluster();
    const { stdout, code } = await here.run([
      ...['install', ...CHART, '--set', 'cluster.name=mine,k8sServicePort=1234', '--datapath-mode', 'native'],
    ]);
    expect([stdout, code]).toEqual([
      lines(
        VERSION,
        'ℹ️  Using cluster name "mine"',
        'ℹ️  Custom datapath mode: native',
        '🔮 Auto-detected kube-proxy has not been installed',
        'ℹ️  Cilium will fully replace all functionalities of kube-proxy',
      ),
      0,
    ]);
    const values = valuesOf(installOf(here.helm.calls()));
    expect(values).toMatchObject({
      kubeProxyReplacement: true,
      k8sServiceHost: '127.0.0.1',
      k8sServicePort: 1234,
    });
    expect(values).not.toHaveProperty('tunnelProtocol');
  });

  test('on kind the API server is looked for from within, and its lack is told', async () => {
    await using here = await startInstallCluster({}, { names: { cluster: 'kind-a' } });
    const { stdout } = await here.run(['install', ...CHART]);
    expect(stdout).toContain("❌ Couldn't find 'kubernetes' service endpoint on Kind\n");
    here.objects.set('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes', {
      endpoints: [{ addresses: ['172.18.0.2'] }],
      ports: [{ port: 6443 }],
    });
    await here.run(['install', ...CHART]);
    const second = here.helm.calls().filter(({ argv }) => argv[0] === 'install')[1];
    expect(valuesOf(second)).toMatchObject({ k8sServiceHost: '172.18.0.2', k8sServicePort: 6443 });
  });

  // differs: install-undetected
  test('what may not be looked at is told', async () => {
    await using here = await startInstallCluster(
      {},
      { refused: ['/api/v1/nodes', '/apis/apps/v1/namespaces/kube-system/daemonsets'] },
    );
    const { stdout, stderr, code } = await here.run(['install', ...CHART]);
    expect(stdout).toContain('⏭️ Skipping auto kube-proxy detection\n');
    expect(stderr).toContain('Note: the kind of the cluster is not known: User "u" cannot list resource');
    expect(stderr).toContain('Note: whether kube-proxy runs is not known: User "u" cannot list resource');
    expect(code).toBe(0);
  });

  // differs: install-aks
  test('AKS is told apart by its own network; what only a person knows is asked for', async () => {
    const names = { cluster: 'c' };
    await using here = await startInstallCluster(PROXY, { names });
    const { stderr, code } = await here.run(['install', ...CHART, '--datapath-mode', 'azure']);
    expect([stderr, code]).toEqual([
      expect.stringContaining(
        'Error: Unable to install Cilium: the datapath mode azure needs the values azure.resourceGroup, azure.subscriptionID, azure.tenantID, azure.clientID\n',
      ),
      1,
    ]);
  });

  test('GKE asks gcloud, and says how to do without', async () => {
    await using here = await startInstallCluster(PROXY, {
      names: { cluster: 'gke_p_z_n', context: 'gke_p_z_n' },
    });
    const { stdout, stderr, code } = await here.run(['install', ...CHART], { env: { PATH: '/nowhere' } });
    expect(stdout).toContain('❌ Unable to auto-detect GKE native routing CIDR. Is "gcloud" installed?\n');
    expect([stderr, code]).toEqual([
      'Error: Unable to install Cilium: there is no program gcloud on PATH\nThe addresses of the pods of the cluster are asked for. Say them yourself: --set ipv4NativeRoutingCIDR=x.x.x.x/x.\n',
      1,
    ]);
    // gcloud may be set to another project, or to none.
    const folder = mkdtempSync(join(tmpdir(), 'gcloud-'));
    const gcloud = join(folder, 'gcloud');
    const PATH = `${folder}:${process.env.PATH}`;
    const asked = async (script: string, ...more: string[]) => {
      writeFileSync(gcloud, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return await here.run(['install', ...CHART, ...more], { env: { PATH } });
    };
    const refused = await asked('echo "ERROR: no permission in $*" >&2; exit 1');
    expect(refused.stderr).toContain(
      'gcloud: ERROR: no permission in container clusters describe n --zone z --project p --format value(clusterIpv4Cidr)\nThe addresses',
    );
    // A dry run says what is missing as well.
    const none = await asked('true', '--dry-run');
    expect([none.stdout, none.stderr.split('\n')[0], none.code]).toEqual([
      '',
      'Error: Unable to install Cilium: gcloud tells no addresses of the pods of n in p',
      1,
    ]);
    expect((await asked('echo 10.4.0.0/14')).stdout).toContain(
      '✅ Detected GKE native routing CIDR: 10.4.0.0/14\n',
    );
    rmSync(folder, { recursive: true });
    const given = await here.run(['install', ...CHART, '--set', 'ipv4NativeRoutingCIDR=10.0.0.0/8']);
    expect(given.code).toBe(0);
    expect(valuesOf(installOf(here.helm.calls()))).toMatchObject({
      nodeinit: { enabled: true, removeCbrBridge: true, reconfigureKubelet: true },
      gke: { enabled: true, disableDefaultSnat: true },
    });
  });

  test('on EKS the nodes are taken off Amazon’s network, but not in a dry run or where it is chained to', async () => {
    const path = '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node';
    await using here = await startInstallCluster(
      { ...PROXY, [path]: { metadata: { name: 'aws-node' } } },
      { names: { cluster: 'a.eu.eksctl.io' } },
    );
    await here.run(['install', ...CHART, '--dry-run']);
    await here.run(['install', ...CHART, '--set', 'cni.chainingMode=aws-cni']);
    expect(here.changes).toEqual([]);
    const { stdout } = await here.run(['install', ...CHART]);
    expect(stdout).toContain('🔥 Patching the "aws-node" DaemonSet to evict its pods...\n');
    expect(here.changes).toEqual([
      {
        method: 'PATCH',
        path,
        body: { spec: { template: { spec: { nodeSelector: { 'io.cilium/aws-node-enabled': 'true' } } } } },
      },
    ]);
  });
});

test('secrets of the command line are in no argument of helm', async () => {
  await using here = await startInstallCluster(PROXY);
  const { stdout, stderr } = await here.run([
    ...[
      'install',
      ...CHART,
      '--set',
      'hubble.tls.server.key=hunter2',
      '--helm-set-string',
      'tls.ca.key=hunter3',
    ],
  ]);
  const calls = here.helm.calls();
  expect(calls.length).toBeGreaterThan(1);
  expect(JSON.stringify(calls.map(({ argv, env }) => [argv, env]))).not.toMatch(/hunter/);
  expect(`${stdout}${stderr}`).not.toMatch(/hunter/);
  expect(valuesOf(installOf(calls))).toMatchObject({
    hubble: { tls: { server: { key: 'hunter2' } } },
    tls: { ca: { key: 'hunter3' } },
  });
});

// differs: install-lint
test('values that are wrong for the version are told before anything is done', async () => {
  await using here = await startInstallCluster(PROXY);
  const refused = await here.run(['install', ...CHART, '--set', 'tunnel=disabled']);
  expect(refused.stderr).toMatch(/command line:1:1: error: tunnel is gone since 1\.\d+/);
  expect(refused.stderr).toContain('the values have 1 error for 1.20: nothing was changed');
  expect(refused.code).toBe(1);
  expect(installOf(here.helm.calls())).toBeUndefined();
  expect((await here.run(['install', ...CHART, '--set', 'tunnel=disabled', '--ignore-lint'])).code).toBe(0);
});

test('values are checked together with those that were found out', async () => {
  await using here = await startInstallCluster(PROXY, { names: { cluster: 'prod' } });
  const { stderr, code } = await here.run(['install', ...CHART, '--set', 'cluster.id=7']);
  expect([stderr, code]).toEqual([expect.not.stringContaining('error'), 0]);
});

test('a chart that is too old is refused', async () => {
  await using here = await startInstallCluster(PROXY, { script: HELM_SCRIPT.replace('1.20.0', '1.15.9') });
  const { stderr, code } = await here.run(['install', ...CHART]);
  expect([stderr.split('\n')[0], code]).toEqual([
    'Error: Unable to install Cilium: cilium version unsupported 1.15.9',
    1,
  ]);
});

test('a second installation is refused with what to do', async () => {
  await using here = await startInstallCluster(releaseSecret({ version: 3 }));
  const { stderr, code } = await here.run(['install', ...CHART]);
  expect([stderr, code]).toEqual([
    'Error: Unable to install Cilium: release name check failed: cannot reuse a name that is still in use\n' +
      'The release cilium is there, at revision 3. To change it: cilium upgrade\n',
    1,
  ]);
});

// differs: install-helm
test('without helm the values and the command are printed', async () => {
  await using here = await startInstallCluster(PROXY);
  const { stdout, stderr, code } = await here.run(
    ['install', '--version', 'v1.20.0', '--set', 'debug.enabled=true', '--context', 'k'],
    { env: { CILIUM_HELM: '', PATH: '/nowhere' } },
  );
  expect(stdout).toBe(
    `# values.yaml, for:
#   helm install cilium cilium --repo https://helm.cilium.io --version 1.20.0 --namespace kube-system --kube-context k --values values.yaml
cluster:
  name: c
debug:
  enabled: true
operator:
  replicas: 1
routingMode: tunnel
tunnelProtocol: vxlan
`,
  );
  expect(stderr).toContain(
    'Error: Unable to install Cilium: there is no program helm on PATH: nothing was changed\n',
  );
  expect(code).toBe(1);
});

// differs: install-gitops
test.each([
  [
    'Flux, by an object that names the release',
    {
      '/apis/helm.toolkit.fluxcd.io': { preferredVersion: { groupVersion: 'helm.toolkit.fluxcd.io/v2' } },
      '/apis/helm.toolkit.fluxcd.io/v2/helmreleases/cilium': {
        metadata: { name: 'cilium', namespace: 'flux' },
        spec: { targetNamespace: 'kube-system', releaseName: 'cilium' },
      },
    },
    'Flux (cilium) owns this release: nothing was changed\nTold by HelmRelease flux/cilium, which names this release.',
  ],
  [
    'Argo CD, by an Application',
    {
      '/apis/argoproj.io': { preferredVersion: { groupVersion: 'argoproj.io/v1alpha1' } },
      '/apis/argoproj.io/v1alpha1/applications/net': {
        metadata: { name: 'net', namespace: 'argocd' },
        spec: { destination: { namespace: 'kube-system' }, source: { chart: 'cilium' } },
      },
    },
    'Argo CD (net) owns this release: nothing was changed\nTold by Application argocd/net, which installs it.',
  ],
  [
    'Argo CD, by the marks of the ConfigMap',
    {
      '/api/v1/namespaces/kube-system/configmaps/cilium-config': {
        metadata: {
          name: 'cilium-config',
          annotations: { 'argocd.argoproj.io/tracking-id': 'net:/ConfigMap:x' },
        },
      },
    },
    'Argo CD (net) owns this release: nothing was changed\nTold by the marks of ConfigMap kube-system/cilium-config.',
  ],
])('a release of %s is not touched', async (_, objects, message) => {
  await using here = await startInstallCluster({ ...PROXY, ...objects });
  const { stdout, stderr, code } = await here.run(['install', ...CHART, '--set', 'debug.enabled=true']);
  expect(stdout).toMatch(/debug:\n {2}enabled: true\n/);
  expect(stderr).toContain(message);
  expect(code).toBe(1);
  expect(installOf(here.helm.calls())).toBeUndefined();
});

test('an Application of another cluster is not the owner', async () => {
  await using here = await startInstallCluster({
    ...PROXY,
    '/apis/argoproj.io': { preferredVersion: { groupVersion: 'argoproj.io/v1alpha1' } },
    '/apis/argoproj.io/v1alpha1/applications/net': {
      metadata: { name: 'net', namespace: 'argocd' },
      spec: {
        destination: { namespace: 'kube-system', server: 'https://elsewhere' },
        source: { chart: 'cilium' },
      },
    },
  });
  expect((await here.run(['install', ...CHART])).code).toBe(0);
});

test('what helm says steers no terminal', async () => {
  const evil = 'a\\033]0;t\\007b';
  await using here = await startInstallCluster(PROXY, {
    script: `${HELM_SCRIPT}\ncase "$1" in install) printf 'warn ${evil}\\nError: INSTALLATION FAILED: no ${evil}\\n' >&2; exit 1;; esac`,
  });
  const { stderr, code } = await here.run([
    ...['install', ...CHART, '--ignore-lint', '--set-string', 'cluster.name=x\u001b[5m'],
  ]);
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(stderr).toContain('helm: warn a');
  expect(stderr).toContain('Error: Unable to install Cilium: no a');
  expect(code).toBe(1);
});

// differs: install-asks
test('a terminal is asked first', async () => {
  await using here = await startInstallCluster(PROXY);
  const refused = await here.run(['install', ...CHART], { columns: 80, typed: ['n'] });
  expect(refused.stderr).toContain(
    'This will install Cilium 1.20.0 in the namespace kube-system of the context k. Continue? [y/N] ',
  );
  expect([refused.code, installOf(here.helm.calls())]).toEqual([1, undefined]);
  expect((await here.run(['install', ...CHART, '--yes'], { columns: 80 })).code).toBe(0);
});
