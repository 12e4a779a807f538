import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ciliumConfig, runningPod, type StubCluster, serveStub } from './stub-cluster.ts';

const HOME = '/api/v1/namespaces/kube-system';

/** What a remote cluster is like when all is well. */
export const READY = {
  connected: true,
  ready: true,
  config: { required: true, retrieved: true, 'cluster-id': 2 },
  synced: { nodes: true, endpoints: true, identities: true, services: true },
};

/** A cluster of a mesh, with what an agent and a replica of KVStoreMesh say of the others. */
export interface MeshCluster extends StubCluster {
  /** By pod. Absent: it does not answer; null: it knows of no mesh. */
  says: Record<string, object[] | null | undefined>;
}

const secret = (name: string, data: Record<string, string>): [string, Record<string, unknown>] => [
  `${HOME}/secrets/${name}`,
  {
    metadata: { name, namespace: 'kube-system' },
    data: Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  },
];

/** Puts a Secret there. */
export function putSecret(cluster: StubCluster, name: string, data: Record<string, string>): void {
  cluster.objects.set(...secret(name, data));
}

/** Puts the Service of the mesh there. */
export function putService(cluster: StubCluster, spec: object, status: object = {}): void {
  cluster.objects.set(`${HOME}/services/clustermesh-apiserver`, {
    metadata: { name: 'clustermesh-apiserver', namespace: 'kube-system' },
    spec,
    status,
  });
}

/** Serves one of two nodes that is connected to cluster2. */
export async function serveMesh(): Promise<MeshCluster> {
  const cluster = await serveStub();
  const says: MeshCluster['says'] = {};
  cluster.exec = (pod, command) => {
    const [program = ''] = command;
    const said = says[pod];
    if (program === 'cilium-dbg') {
      if (said === undefined) return { stderr: 'Error: no socket\n', code: 1 };
      return {
        stdout: JSON.stringify(
          said === null ? { cilium: { state: 'Ok' } } : { 'cluster-mesh': { clusters: said } },
        ),
      };
    }
    if (program !== '/usr/bin/clustermesh-apiserver') return 'is not there';
    return said
      ? { stdout: JSON.stringify(said) }
      : { stderr: 'unknown command "kvstoremesh-dbg"\n', code: 1 };
  };
  return Object.assign(cluster, { says });
}

/** Sets it back to how it is when all is well. */
export function resetMesh(cluster: MeshCluster): void {
  cluster.objects.clear();
  cluster.seen.length = 0;
  cluster.forbidden = undefined;
  cluster.before = () => {};
  for (const pod of Object.keys(cluster.says)) delete cluster.says[pod];
  cluster.objects.set(
    ...ciliumConfig({
      'cluster-id': '1',
      'cluster-name': 'cluster1',
      'identity-allocation-mode': 'crd',
      'routing-mode': 'tunnel',
    }),
  );
  for (const n of [1, 2]) {
    cluster.objects.set(...runningPod(`cilium-${n}`, `n${n}`, { 'k8s-app': 'cilium' }));
    cluster.says[`cilium-${n}`] = [{ name: 'cluster2', ...READY }];
  }
  cluster.objects.set(
    ...runningPod('clustermesh-apiserver-1', 'n1', { 'k8s-app': 'clustermesh-apiserver' }, 'kvstoremesh'),
  );
  cluster.says['clustermesh-apiserver-1'] = [{ name: 'cluster2', ...READY }];
  cluster.objects.set('/api/v1/nodes/n1', {
    metadata: { name: 'n1' },
    status: { addresses: [{ type: 'InternalIP', address: '172.18.0.3' }] },
  });
  putService(cluster, { type: 'NodePort', ports: [{ port: 2379, nodePort: 32379 }] });
  putSecret(cluster, 'clustermesh-apiserver-remote-cert', { 'ca.crt': 'CA of remote' });
  putSecret(cluster, 'cilium-ca', { 'ca.crt': 'CA', 'ca.key': 'SECRET' });
  const place = 'endpoints:\n- https://cluster2.mesh.cilium.io:2379\n';
  putSecret(cluster, 'cilium-clustermesh', {
    cluster1: place,
    cluster2: place,
    'cluster2.etcd-client.key': 'K',
  });
  putSecret(cluster, 'cilium-kvstoremesh', { cluster2: place });
  putDeployment(cluster, {});
}

/** Puts the Deployment of the mesh's server there. */
export function putDeployment(
  cluster: StubCluster,
  status: object,
  containers = ['apiserver', 'kvstoremesh'],
): void {
  const counts = { replicas: 1, availableReplicas: 1, readyReplicas: 1, updatedReplicas: 1 };
  cluster.objects.set('/apis/apps/v1/namespaces/kube-system/deployments/clustermesh-apiserver', {
    metadata: { name: 'clustermesh-apiserver', namespace: 'kube-system', generation: 2 },
    spec: { template: { spec: { containers: containers.map((name) => ({ name })) } } },
    status: { observedGeneration: 2, ...counts, ...status },
  });
}

/** Puts the Secret there that Helm keeps the release in. */
export function putRelease(cluster: StubCluster, values: object, version = '1.19.0', revision = 1): void {
  const release = {
    name: 'cilium',
    namespace: 'kube-system',
    version: revision,
    info: { status: 'deployed' },
    chart: { metadata: { apiVersion: 'v2', name: 'cilium', version }, templates: [], values: {} },
    config: values,
    manifest: '',
  };
  const packed = gzipSync(JSON.stringify(release)).toString('base64');
  cluster.objects.set(`${HOME}/secrets/sh.helm.release.v1.cilium.v1`, {
    type: 'helm.sh/release.v1',
    metadata: {
      name: 'sh.helm.release.v1.cilium.v1',
      namespace: 'kube-system',
      labels: { name: 'cilium', owner: 'helm', status: 'deployed', version: '1' },
    },
    data: { release: Buffer.from(packed).toString('base64') },
  });
}

/** Several clusters, and a kubeconfig whose contexts `net-1`, `net-2` … lead to them. */
export interface Mesh extends AsyncDisposable {
  clusters: MeshCluster[];
  kubeconfig: string;
}

/** Serves so many. */
export async function serveClusters(count: number): Promise<Mesh> {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-'));
  const clusters: MeshCluster[] = [];
  for (let i = 0; i < count; i++) clusters.push(await serveMesh());
  const named = clusters.map(({ url }, i) => ({ name: `net-${i + 1}`, url }));
  const kubeconfig = join(folder, 'config');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: named.map(({ name, url }) => ({ name, cluster: { server: url } })),
      contexts: named.map(({ name }) => ({ name, context: { cluster: name, user: 'u' } })),
      users: [{ name: 'u', user: {} }],
      'current-context': 'net-1',
    }),
  );
  return {
    clusters,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a cluster the one of a number in a mesh that is to be: with the mesh enabled, and connected to none. */
export function resetMember(cluster: MeshCluster, number: number, ca: string): void {
  resetMesh(cluster);
  cluster.objects.set(
    ...ciliumConfig({
      'cluster-id': String(number),
      'cluster-name': `cluster${number}`,
      'identity-allocation-mode': 'crd',
      'routing-mode': 'tunnel',
    }),
  );
  putSecret(cluster, 'cilium-ca', { 'ca.crt': ca });
  putService(
    cluster,
    {
      type: 'LoadBalancer',
      ports: [{ port: 2379 }],
    },
    { loadBalancer: { ingress: [{ ip: `192.0.2.${number}` }] } },
  );
  cluster.objects.set('/apis/cilium.io/v2/ciliumnodes/n1', {
    metadata: { name: 'n1' },
    spec: { ipam: { podCIDRs: [`10.${number}.0.0/24`] } },
  });
  putRelease(cluster, {});
}
