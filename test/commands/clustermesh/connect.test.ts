import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Stopped } from '../../../src/errors.ts';
import { loopbackCertificate } from '../../../src/lab/kube/certificate.ts';
import { type FakeHelm, fakeHelm } from '../../helpers/fake-helm.ts';
import { type Mesh, putRelease, putSecret, resetMember, serveClusters } from '../../helpers/mesh-cluster.ts';
import { type RunOptions, run } from '../../helpers/run.ts';
import { ciliumConfig } from '../../helpers/stub-cluster.ts';
import { until } from '../../helpers/until.ts';

const CA = loopbackCertificate(0).cert;
const OTHER_CA = loopbackCertificate(0).cert;
const NODES = '/apis/cilium.io/v2/ciliumnodes/n1';

let mesh: Mesh;
let helm: FakeHelm;
const ask = (argv: string[], options: RunOptions = {}) =>
  run(['clustermesh', ...argv, '-n', 'kube-system'], {
    nowMs: Date.parse('2026-11-29T05:00:00Z'),
    ...options,
    env: { KUBECONFIG: mesh.kubeconfig, CILIUM_HELM: helm.path, PATH: '/usr/bin:/bin', ...options.env },
  });
const connect = (...flags: string[]) => ask(['connect', ...flags]);
const cluster = (number: number) => {
  const found = mesh.clusters[number - 1];
  if (!found) throw new Error(`there is no cluster ${number}`);
  return found;
};
/** What helm was told: of which context, and which values. */
const told = () =>
  helm.calls().map(({ argv, values }) => {
    const at = argv.indexOf('--kube-context');
    return [at < 0 ? '' : argv[at + 1], JSON.parse(values[0]?.text ?? '{}')];
  });
const clusters = (list: object) => ({ clustermesh: { config: { enabled: true, clusters: list } } });
const entry = (number: number) => ({ ips: [`192.0.2.${number}`], port: 2379, name: `cluster${number}` });
const ACCESS = [1, 2]
  .map(
    (n) =>
      `✨ Extracting access information of cluster cluster${n}...\n🔑 Extracting secrets from cluster cluster${n}...\nℹ️  Found ClusterMesh service IPs: [192.0.2.${n}]\n`,
  )
  .join('');

beforeAll(async () => {
  mesh = await serveClusters(3);
});
afterAll(async () => mesh[Symbol.asyncDispose]());
beforeEach(() => {
  helm?.[Symbol.dispose]();
  helm = fakeHelm();
  for (const [i, one] of mesh.clusters.entries()) resetMember(one, i + 1, CA);
});
afterAll(() => helm[Symbol.dispose]());

describe('connect', () => {
  test('prints what cilium-cli prints, and tells both releases of the other cluster', async () => {
    const { stdout, stderr, code } = await connect('--destination-context', 'net-2');
    expect(stdout).toBe(
      `${ACCESS}ℹ️ Configuring Cilium in cluster net-1 to connect to cluster net-2\nℹ️ Configuring Cilium in cluster net-2 to connect to cluster net-1\n✅ Connected cluster net-1 <=> net-2!\n`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(told()).toEqual([
      ['net-1', clusters([entry(2)])],
      ['net-2', clusters([entry(1)])],
    ]);
    expect(helm.calls()[0]?.values[0]?.mode).toBe('600');
    expect(helm.calls()[0]?.argv).toContain('--reset-values');
  });

  test('--connection-mode unicast changes one release', async () => {
    const { stdout } = await connect('--destination-context', 'net-2', '--connection-mode', 'unicast');
    expect(stdout).toContain('✅ Connected cluster net-1 => net-2!\n');
    expect(told()).toEqual([['net-1', clusters([entry(2)])]]);
  });

  test('--connection-mode mesh tells each of all others', async () => {
    const { stdout } = await connect(
      ...['--destination-context', 'net-2,net-3', '--connection-mode', 'mesh', '--parallel', '2'],
    );
    expect(stdout).toContain('ℹ️ Configuring Cilium in cluster net-1 to connect to cluster net-2,net-3\n');
    expect(stdout).toContain('ℹ️ Configuring Cilium in cluster net-2 to connect to cluster net-3,net-1\n');
    expect(stdout).toMatch(/✅ Connected clusters net-2, net-3, and net-1!\n$/);
    const byContext = Object.fromEntries(told());
    expect(byContext).toEqual({
      'net-1': clusters([entry(2), entry(3)]),
      'net-2': clusters([entry(3), entry(1)]),
      'net-3': clusters([entry(2), entry(1)]),
    });
  });

  test('what a release knows already stays', async () => {
    putRelease(cluster(1), { clustermesh: { config: { clusters: [{ name: 'old', port: 1 }] } } });
    putRelease(cluster(2), { clustermesh: { config: { clusters: { old: { port: 1 } } } } }, '1.20.1');
    await connect('--destination-context', 'net-2');
    expect(told()).toEqual([
      ['net-1', clusters([{ name: 'old', port: 1 }, entry(2)])],
      ['net-2', clusters({ old: { port: 1 }, cluster1: { ips: ['192.0.2.1'], port: 2379 } })],
    ]);
  });

  test('endpoints that are given go before the Service', async () => {
    await connect(
      ...['--destination-context', 'net-2', '--destination-endpoint', '198.51.100.1:1,198.51.100.2:1'],
      ...['--source-endpoint', '[2001:db8::1]:2'],
    );
    expect(told()).toEqual([
      ['net-1', clusters([{ ips: ['198.51.100.1', '198.51.100.2'], port: 1, name: 'cluster2' }])],
      ['net-2', clusters([{ ips: ['2001:db8::1'], port: 2, name: 'cluster1' }])],
    ]);
  });

  test('authorities that differ are refused, or added to the bundle of both', async () => {
    putSecret(cluster(2), 'cilium-ca', { 'ca.crt': OTHER_CA });
    const refused = await connect('--destination-context', 'net-2');
    expect(refused.stderr).toContain(
      'Unable to connect cluster: Cilium CA certificates do not match between clusters cluster1 and cluster2. Use --allow-mismatching-ca to allow this by adding remote CAs to the CA bundle',
    );
    expect([refused.code, told()]).toEqual([1, []]);
    const { stdout } = await connect('--destination-context', 'net-2', '--allow-mismatching-ca');
    expect(stdout).toContain(
      '⚠️ Cilium CA certificates do not match between clusters cluster1 and cluster2. Remote cluster CA will be trusted in the CA bundle\n',
    );
    const bundle = { caBundle: { enabled: true, content: `${CA.trim()}\n${OTHER_CA.trim()}` } };
    for (const [, values] of told()) {
      expect(values.tls).toEqual(bundle);
      expect(values.clustermesh.apiserver.podAnnotations).toEqual({
        'cilium.io/caBundleChangeRestartedAt': '2026-11-29T05:00:00Z',
      });
    }
    expect(told().length).toBe(2);
  });

  // differs: clustermesh-connect-checks
  describe('is refused before anything is changed', () => {
    const config = (number: number, more: Record<string, string>) =>
      cluster(number).objects.set(
        ...ciliumConfig({
          'cluster-id': String(number),
          'cluster-name': `cluster${number}`,
          'routing-mode': 'tunnel',
          ...more,
        }),
      );
    test.each<[string, () => void, string]>([
      [
        'the same name',
        () => config(2, { 'cluster-name': 'cluster1' }),
        'the same, non-unique name: cluster1',
      ],
      [
        'ID 0',
        () => config(2, { 'cluster-id': '0' }),
        'remote cluster has non-unique name (cluster2) and/or ID (0)',
      ],
      ['another tunnel', () => config(2, { 'tunnel-protocol': 'geneve' }), 'vxlan and geneve'],
      [
        'twins',
        () => config(3, { 'cluster-id': '2' }),
        'remote clusters cluster2 and cluster3 have the same, non-unique ID: 2',
      ],
      [
        'addresses of pods',
        () =>
          cluster(2).objects.set(NODES, {
            metadata: { name: 'n1' },
            spec: { ipam: { podCIDRs: ['10.1.0.0/16'] } },
          }),
        'pods of two clusters may have the same addresses: 10.1.0.0/24 (cluster1, node n1) and 10.1.0.0/16 (cluster2, node n1)',
      ],
      [
        'no release',
        () =>
          cluster(2).objects.delete('/api/v1/namespaces/kube-system/secrets/sh.helm.release.v1.cilium.v1'),
        'there is no Helm release cilium in the namespace kube-system',
      ],
      [
        'no Service',
        () => cluster(2).objects.delete('/api/v1/namespaces/kube-system/services/clustermesh-apiserver'),
        'unable to get clustermesh service "clustermesh-apiserver"',
      ],
      [
        'Secrets that may not be read',
        () => {
          cluster(2).forbidden = /secrets/;
        },
        'User "u" cannot GET /api/v1/namespaces/kube-system/secrets',
      ],
    ])('%s', async (_, change, why) => {
      change();
      const { stderr, code } = await connect('--destination-context', 'net-2,net-3');
      expect(stderr).toContain('Error: Unable to connect cluster: ');
      expect(stderr).toContain(why);
      expect([code, told()]).toEqual([1, []]);
    });

    test.each<[string[], string]>([
      [[], 'no destination context specified, use --destination-context'],
      [
        ['--destination-context', 'nowhere'],
        'unable to create Kubernetes client to access remote cluster "nowhere"',
      ],
      [
        ['--destination-context', 'net-2', '--destination-endpoint', '1.2.3.4'],
        'invalid endpoint "1.2.3.4", must be IP:PORT',
      ],
      [
        ['--destination-context', 'net-2', '--destination-endpoint', '1.2.3.4:1,1.2.3.5:2'],
        'port mismatch (1 != 2), all endpoints must use the same port number',
      ],
      [
        ['--destination-context', 'net-2,net-3', '--destination-endpoint', '1.2.3.4:1'],
        '--destination-endpoint is of one cluster',
      ],
      [['--destination-context', 'net-1'], 'the same, non-unique name: cluster1'],
      [['--destination-context', 'net-2', '--connection-mode', 'star'], 'Bad connection mode'],
    ])('%j', async (flags, why) => {
      const { stderr, code } = await connect(...flags);
      expect(stderr).toContain(why);
      expect([code, told()]).toEqual([1, []]);
    });
  });

  test('prefixes that may not be read are told, and those that overlap may be allowed', async () => {
    cluster(2).objects.set(NODES, {
      metadata: { name: 'n1' },
      spec: { ipam: { podCIDRs: ['10.1.0.0/24'] } },
    });
    const allowed = await connect('--destination-context', 'net-2', '--allow-overlapping-pod-cidrs');
    expect(allowed.stderr).toContain('Warning: pods of two clusters may have the same addresses');
    expect([allowed.code, told().length]).toEqual([0, 2]);
    cluster(1).forbidden = /ciliumnodes/;
    const { stderr, code } = await connect('--destination-context', 'net-2');
    expect(stderr).toContain(
      'Note: the addresses of pods in cluster net-1 are not compared: User "u" cannot GET',
    );
    expect(code).toBe(0);
  });

  test('charts that are far apart are told', async () => {
    putRelease(cluster(2), {}, '1.17.0');
    expect((await connect('--destination-context', 'net-2')).stderr).toContain(
      'Warning: cluster net-1 runs 1.19.0 and net-2 1.17.0',
    );
  });

  // differs: clustermesh-half
  test('of a failure in the middle it is told what is done and what is not', async () => {
    helm[Symbol.dispose]();
    helm = fakeHelm('case "$*" in *net-2*) echo "Error: UPGRADE FAILED: no" >&2; exit 1;; esac');
    const { stdout, stderr, code } = await connect('--destination-context', 'net-2,net-3');
    expect(stderr).toContain('Error: Unable to connect cluster: cluster net-2: Unable to upgrade Cilium: no');
    expect(stderr).toContain('Changed: net-1, net-3. Not ended: net-2. The same can be run again');
    expect(stdout).not.toContain('Connected');
    expect(code).toBe(1);
  });

  test('values that somebody else has changed meanwhile are not written over', async () => {
    let looks = 0;
    cluster(2).before = (line) => {
      // It is read once to be planned with, and once more before it is changed.
      if (line.endsWith('/secrets') && ++looks === 2) putRelease(cluster(2), { kept: 2 }, '1.19.0', 7);
    };
    const { stderr, code } = await connect('--destination-context', 'net-2');
    expect(stderr).toContain(
      'the release cilium was changed meanwhile: revision 1 was looked at, and 7 is there',
    );
    expect([code, told().length]).toEqual([1, 1]);
  });

  test('nothing else is changed when the first one fails', async () => {
    helm[Symbol.dispose]();
    helm = fakeHelm('echo "Error: UPGRADE FAILED: no" >&2; exit 1');
    const { stderr, code } = await connect('--destination-context', 'net-2');
    expect(stderr).toContain('Not ended: net-1. Not changed: net-2.');
    expect([code, helm.calls().length]).toEqual([1, 1]);
  });

  test('Ctrl-C in the middle says how far it came', async () => {
    helm[Symbol.dispose]();
    const begun = join(mkdtempSync(join(tmpdir(), 'connect-')), 'begun');
    helm = fakeHelm(`case "$*" in *net-2*) touch ${begun}; exec sleep 60;; esac`);
    const stop = new AbortController();
    const { stdout, stderr, code } = await ask(['connect', '--destination-context', 'net-2,net-3'], {
      signal: stop.signal,
      onStdout: (text) => {
        if (text.includes('in cluster net-2'))
          void until(async () => existsSync(begun)).then(() => stop.abort(new Stopped('SIGINT', 130)));
      },
    });
    expect(stderr).toContain('Changed: net-1. Not ended: net-2. Not changed: net-3.');
    expect(stdout).not.toContain('Connected');
    expect(code).toBe(130);
  });

  test('--dry-run prints the values of each cluster, without keys', async () => {
    putRelease(cluster(1), {
      clustermesh: { config: { clusters: [{ name: 'old', tls: { key: 'SECRET' } }] } },
    });
    const { stdout, code } = await connect('--destination-context', 'net-2', '--dry-run');
    expect(
      stdout.slice(ACCESS.length),
    ).toBe(`# Cluster net-1: in the values of its release, in the place of what is there now:
# helm get values cilium -o yaml --namespace kube-system > values.yaml
# helm upgrade cilium cilium --repo https://helm.cilium.io --version 1.19.0 --reset-values --namespace kube-system --values values.yaml
clustermesh:
  config:
    clusters:
    - name: old
      tls:
        key: <as it is>
    - ips:
      - 192.0.2.2
      name: cluster2
      port: 2379
    enabled: true
---
# Cluster net-2: in the values of its release, in the place of what is there now:
# helm get values cilium -o yaml --namespace kube-system --kube-context net-2 > values.yaml
# helm upgrade cilium cilium --repo https://helm.cilium.io --version 1.19.0 --reset-values --namespace kube-system --kube-context net-2 --values values.yaml
clustermesh:
  config:
    clusters:
    - ips:
      - 192.0.2.1
      name: cluster1
      port: 2379
    enabled: true
Would connect cluster net-1 with net-2 (bidirectional), by upgrading 2 Helm releases.
`);
    expect([code, told()]).toEqual([0, []]);
  });

  test('asks at a terminal', async () => {
    const { stderr, code } = await ask(['connect', '--destination-context', 'net-2'], {
      columns: 200,
      typed: ['n'],
    });
    expect(stderr).toContain('This will connect cluster net-1 with net-2 (bidirectional)');
    expect([code, told()]).toEqual([1, []]);
  });

  // differs: clustermesh-gitops
  test('a release that Argo CD owns is left alone, and so is the other: what to commit is printed', async () => {
    cluster(2).objects.set('/apis/apps/v1/namespaces/kube-system/daemonsets/cilium', {
      metadata: { name: 'cilium', annotations: { 'argocd.argoproj.io/tracking-id': 'net:apps/DaemonSet:x' } },
    });
    const { stdout, stderr, code } = await connect('--destination-context', 'net-2');
    expect(stdout).toContain('# Cluster net-2: in the values of its release');
    expect(stdout).toContain('      name: cluster1\n');
    expect(stderr).toContain('that of cluster net-2 to Argo CD (net): nothing was changed');
    expect([code, told()]).toEqual([1, []]);
  });

  test('without helm the values and the commands are printed', async () => {
    const { stdout, stderr, code } = await ask(['connect', '--destination-context', 'net-2'], {
      env: { CILIUM_HELM: '', PATH: dirname(mesh.kubeconfig) },
    });
    expect(stdout).toContain('--kube-context net-2 --values values.yaml\n');
    expect(stderr).toContain('there is no program helm on PATH: nothing was changed');
    expect(code).toBe(1);
  });
});

describe('disconnect', () => {
  const connected = () => {
    putRelease(cluster(1), { clustermesh: { config: { clusters: [entry(2), entry(3)] } } });
    putRelease(
      cluster(2),
      { clustermesh: { config: { clusters: { cluster1: { port: 1 }, cluster3: {} } } } },
      '1.20.0',
    );
    putRelease(cluster(3), { clustermesh: { config: { clusters: [entry(1), entry(2)] } } });
  };

  test('takes each out of the other', async () => {
    connected();
    const { stdout, stderr, code } = await ask(['disconnect', '--destination-context', 'net-2']);
    expect(stdout).toBe(
      'ℹ️ Configuring Cilium in cluster net-1 to disconnect from cluster net-2\nℹ️ Configuring Cilium in cluster net-2 to disconnect from cluster net-1\n✅ Disconnected clusters net-1 <x> net-2!\n',
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(told()).toEqual([
      ['net-1', clusters([entry(3)])],
      ['net-2', clusters({ cluster3: {} })],
    ]);
  });

  test('in a mesh all of them', async () => {
    connected();
    const { stdout } = await ask([
      ...['disconnect', '--destination-context', 'net-2,net-3', '--connection-mode', 'mesh'],
    ]);
    expect(stdout).toContain(
      'ℹ️ Configuring Cilium in cluster net-2 to disconnect from cluster net-3,net-1\n',
    );
    expect(stdout).toMatch(/✅ Disconnected clusters net-2, net-3, and net-1!\n$/);
    expect(told()).toEqual([
      ['net-1', clusters([])],
      ['net-2', clusters({})],
      ['net-3', clusters([])],
    ]);
  });

  test('unicast, of one that is not named', async () => {
    const { stdout, stderr } = await ask([
      ...['disconnect', '--destination-context', 'net-2', '--connection-mode', 'unicast'],
    ]);
    expect(stdout).toContain('✅ Disconnected clusters net-1 x> net-2!\n');
    expect(stderr).toContain('Note: the release of cluster net-1 does not name cluster2\n');
  });

  test('without a context', async () => {
    const { stderr, code } = await ask(['disconnect']);
    expect(stderr).toContain(
      'Unable to disconnect clusters: no destination context specified, use --destination-context to specify which cluster to disconnect from',
    );
    expect(code).toBe(1);
  });
});

describe('enable and disable', () => {
  const AUTO = { auto: { enabled: true, method: 'cronJob', schedule: '0 0 1 */4 *' } };
  test.each([
    { flags: ['--service-type', 'LoadBalancer'], service: { type: 'LoadBalancer' }, more: {}, said: '' },
    {
      flags: ['--service-type', 'NodePort', '--enable-kvstoremesh=false'],
      service: { type: 'NodePort' },
      more: { kvstoremesh: { enabled: false } },
      said: '⚠️  Using service type NodePort may fail when nodes are removed from the cluster!\n',
    },
  ])('enable $flags', async ({ flags, service, more, said }) => {
    expect(await ask(['enable', ...flags])).toEqual({ stdout: said, stderr: '', code: 0 });
    expect(told()).toEqual([
      [
        'net-1',
        {
          clustermesh: {
            useAPIServer: true,
            config: { enabled: true },
            apiserver: { service, tls: AUTO, ...more },
          },
        },
      ],
    ]);
  });

  test('enable finds the cloud by its nodes', async () => {
    cluster(1).objects.set('/api/v1/nodes/n1', {
      metadata: { name: 'n1', labels: { 'cloud.google.com/gke-nodepool': 'a' } },
    });
    const { stdout } = await ask(['enable', '--enable-kvstoremesh']);
    expect(stdout).toBe(
      '🔮 Auto-exposing service within GCP VPC (networking.gke.io/load-balancer-type=Internal)\n',
    );
    const [[, values] = []] = told();
    expect(values.clustermesh.apiserver.service).toEqual({
      type: 'LoadBalancer',
      annotations: {
        'networking.gke.io/load-balancer-type': 'Internal',
        'networking.gke.io/internal-load-balancer-allow-global-access': 'true',
      },
    });
    expect(values.clustermesh.apiserver.kvstoremesh).toEqual({ enabled: true });
  });

  test('enable needs a type elsewhere, and one that there is', async () => {
    expect((await ask(['enable'])).stderr).toContain(
      "Unable to enable ClusterMesh: cannot auto-detect service type, please specify using '--service-type' option",
    );
    expect((await ask(['enable', '--service-type', 'ClusterIP'])).stderr).toContain(
      'service type "ClusterIP" is not valid',
    );
    expect(told()).toEqual([]);
  });

  test('enable warns of a cluster that has no name of its own', async () => {
    cluster(1).objects.set(...ciliumConfig({}));
    expect((await ask(['enable', '--service-type', 'LoadBalancer'])).stderr).toContain(
      'Warning: the cluster has the name default and the ID 0',
    );
  });

  test('disable', async () => {
    putRelease(cluster(1), { clustermesh: { config: { clusters: [entry(2)] } } });
    const { stderr, code } = await ask(['disable']);
    expect(stderr).toContain('Warning: cluster2 may still be connected to this cluster');
    expect(told()).toEqual([
      ['net-1', { clustermesh: { useAPIServer: false, config: { enabled: false, clusters: [] } } }],
    ]);
    expect(code).toBe(0);
    const dry = await ask(['disable', '--dry-run']);
    expect(dry.stdout).toMatch(/clusters: \[\]\n[\s\S]*Would disable ClusterMesh in cluster net-1\.\n$/);
  });
});
