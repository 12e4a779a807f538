import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  type MeshCluster,
  putDeployment,
  putSecret,
  putService,
  READY,
  resetMesh,
  serveMesh,
} from '../../helpers/mesh-cluster.ts';
import { run } from '../../helpers/run.ts';
import { ciliumConfig } from '../../helpers/stub-cluster.ts';

const HEAD = `⚠️  Service type NodePort detected! Service may fail when nodes are removed from the cluster!
✅ Service "clustermesh-apiserver" of type "NodePort" found
✅ Cluster access information is available:
  - 172.18.0.3:32379
✅ Deployment clustermesh-apiserver is ready
ℹ️  KVStoreMesh is enabled
`;

let cluster: MeshCluster;
const status = (...flags: string[]) =>
  run(['clustermesh', 'status', '-n', 'kube-system', ...flags], { env: { KUBECONFIG: cluster.kubeconfig } });

beforeAll(async () => {
  cluster = await serveMesh();
});
afterAll(async () => cluster[Symbol.asyncDispose]());
beforeEach(() => resetMesh(cluster));

test('prints what cilium-cli prints', async () => {
  expect(await status()).toEqual({
    stdout: `${HEAD}
✅ All 2 nodes are connected to all clusters [min:1 / avg:1.0 / max:1]
✅ All 1 KVStoreMesh replicas are connected to all clusters [min:1 / avg:1.0 / max:1]

🔌 Cluster Connections:
  - cluster2: 2/2 configured, 2/2 connected - KVStoreMesh: 1/1 configured, 1/1 connected

`,
    stderr: '',
    code: 0,
  });
});

// differs: clustermesh-status-exit
test('says what is not connected, and exits with 1', async () => {
  cluster.says['cilium-1'] = [
    { name: 'cluster2', ...READY, ready: false, connected: false, status: 'Waiting for initial connection' },
    { name: 'cluster3', ...READY, ready: false, config: { required: true, retrieved: false } },
  ];
  cluster.says['cilium-2'] = [
    { name: 'cluster2', ...READY },
    {
      name: 'cluster3',
      ...READY,
      ready: false,
      synced: { ...READY.synced, nodes: false, 'service-exports': false },
    },
  ];
  cluster.says['clustermesh-apiserver-1'] = [];
  const { stdout, code } = await status();
  expect(stdout).toBe(`${HEAD}
⚠️  2/2 nodes are not connected to all clusters [min:0 / avg:0.5 / max:1]
⚠️  1/1 KVStoreMesh replicas are not connected to all clusters [min:0 / avg:0.0 / max:0]

🔌 Cluster Connections:
  - cluster2: 2/2 configured, 1/2 connected - KVStoreMesh: 0/1 configured, 0/1 connected
  - cluster3: 2/2 configured, 0/2 connected - KVStoreMesh: status not available

❌ 3 Errors:
  ❌ cilium-1 is not connected to cluster cluster2: Waiting for initial connection
     💡 Run 'kubectl exec -it -n kube-system cilium-1 -c cilium-agent -- cilium-dbg troubleshoot clustermesh cluster2' to investigate the cause
  ❌ cilium-1 is not connected to cluster cluster3: remote cluster configuration required but not found
     💡 This is likely caused by KVStoreMesh not being connected to the given cluster
  ❌ cilium-2 is not connected to cluster cluster3: synchronization in progress for nodes, service-exports
  ❌ clustermesh-apiserver-1 is not connected to cluster cluster2: unknown status
`);
  expect(code).toBe(1);
  expect((await status('--compat-exit')).code).toBe(0);
});

test('as JSON, with the course of it on stderr', async () => {
  cluster.says['cilium-2'] = [];
  const { stdout, stderr, code } = await status('-o', 'json');
  expect(stdout).toBe(`{
 "access_information": {
  "service_type": "NodePort",
  "service_ips": [
   "172.18.0.3"
  ],
  "service_port": 32379,
  "cluster_id": "1",
  "cluster_name": "cluster1",
  "ca": "Q0E=",
  "tunnel": "vxlan",
  "max_connected_clusters": 255
 },
 "connectivity": {
  "connected": {
   "avg": 0.5,
   "max": 1
  },
  "clusters": {
   "cluster2": {
    "configured": 1,
    "connected": 1
   }
  },
  "total": 2,
  "not_ready": 1,
  "errors": {
   "cilium-2": {
    "cluster2": {
     "Errors": [
      "unknown status"
     ],
     "Warnings": [],
     "Disabled": false
    }
   }
  }
 },
 "kvstoremesh": {
  "enabled": true,
  "status": {
   "connected": {
    "min": 1,
    "avg": 1,
    "max": 1
   },
   "clusters": {
    "cluster2": {
     "configured": 1,
     "connected": 1
    }
   },
   "total": 1
  }
 }
}
`);
  expect([stderr, code]).toEqual([HEAD, 1]);
});

// differs: clustermesh-status-partial
test('a node that cannot be asked is no node that is connected: exit 3', async () => {
  delete cluster.says['cilium-2'];
  const { stdout, code } = await status();
  expect(stdout).toContain('⚠️  1/2 nodes are not connected to all clusters [min:1 / avg:1.0 / max:1]\n');
  expect(stdout).toContain('  - cluster2: 1/2 configured, 1/2 connected - KVStoreMesh');
  expect(stdout).toContain('❌ 1 Errors:\n  ❌ cilium-2 could not be asked: no socket\n');
  expect(code).toBe(3);
  const json = JSON.parse((await status('-o', 'json')).stdout);
  expect(json.connectivity.errors['cilium-2'].cluster2.Errors).toEqual(['could not be asked: no socket']);
  delete cluster.says['cilium-1'];
  cluster.says['clustermesh-apiserver-1'] = undefined;
  expect((await status()).code).toBe(1);
});

test('no cluster is connected yet', async () => {
  cluster.objects.delete('/api/v1/namespaces/kube-system/secrets/cilium-clustermesh');
  cluster.objects.delete('/api/v1/namespaces/kube-system/secrets/cilium-kvstoremesh');
  cluster.says['cilium-1'] = null;
  cluster.says['cilium-2'] = null;
  cluster.says['clustermesh-apiserver-1'] = [];
  const { stdout, code } = await status();
  expect([stdout, code]).toEqual([`${HEAD}\n\n🔌 No cluster connected\n\n`, 0]);
});

test('an older release cannot tell of KVStoreMesh', async () => {
  cluster.says['clustermesh-apiserver-1'] = undefined;
  const { stdout, code } = await status();
  expect(stdout).toContain('⚠️  KVStoreMesh status retrieval is not supported by this Cilium version\n');
  expect(stdout).toContain('  - cluster2: 2/2 configured, 2/2 connected\n');
  expect(code).toBe(0);
});

test('an external kvstore needs no server of the mesh', async () => {
  cluster.objects.set(
    ...ciliumConfig({
      'cluster-id': '0',
      'cluster-name': 'cluster1',
      'identity-allocation-mode': 'kvstore',
    }),
  );
  const { stdout } = await status();
  expect(stdout).toMatch(
    /^⚠️ {2}Cluster not configured for clustermesh, use '--set cluster.id' and '--set cluster.name' with 'cilium install'\.\n✅ Cilium is configured with an external kvstore\n\n✅ All 2 nodes/,
  );
});

test.each([
  {
    type: 'ClusterIP',
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', ports: [{ port: 2379 }] },
    place: '10.96.0.7:2379',
  },
  {
    type: 'LoadBalancer',
    spec: { type: 'LoadBalancer', ports: [{ port: 2379 }] },
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'localhost' }] } },
    place: '192.0.2.1:2379',
  },
])('a Service of type $type', async ({ type, spec, status: of, place }) => {
  putService(cluster, spec, of);
  const { stdout } = await status();
  expect(stdout).toContain(
    `✅ Service "clustermesh-apiserver" of type "${type}" found\n✅ Cluster access information is available:\n  - ${place}\n`,
  );
});

// differs: clustermesh-status-refused
test.each([
  {
    what: 'no Service',
    change: () => cluster.objects.delete('/api/v1/namespaces/kube-system/services/clustermesh-apiserver'),
    said: 'unable to get clustermesh service "clustermesh-apiserver": ',
  },
  {
    what: 'a Service without an address',
    change: () => putService(cluster, { type: 'LoadBalancer', ports: [{ port: 2379 }] }),
    said: 'unable to derive service IPs automatically',
  },
  {
    what: 'a Service without ports',
    change: () => putService(cluster, { type: 'ClusterIP' }),
    said: 'port of service could not be derived, service has no ports',
  },
  {
    what: 'a Deployment that is not ready',
    change: () => putDeployment(cluster, { replicas: 3, availableReplicas: 1 }),
    said: 'deployment clustermesh-apiserver is not ready: only 1 of 3 replicas are available',
  },
  {
    what: 'no certificate for others',
    change: () =>
      cluster.objects.delete('/api/v1/namespaces/kube-system/secrets/clustermesh-apiserver-remote-cert'),
    said: 'unable to get client secret to access clustermesh service: unable to get secret "clustermesh-apiserver-client-certs" and no deprecated names to try',
  },
  {
    what: 'Secrets that may not be read',
    change: () => {
      cluster.forbidden = /secrets/;
    },
    said: 'get secret "clustermesh-apiserver-remote-cert": User "u" cannot GET',
  },
])('$what is an error', async ({ change, said }) => {
  change();
  const { stderr, code } = await status();
  expect(stderr).toContain('Error: Unable to determine status:  ');
  expect(stderr).toContain(said);
  expect(code).toBe(1);
});

test('a Secret of an older chart is found by its name', async () => {
  cluster.objects.delete('/api/v1/namespaces/kube-system/secrets/clustermesh-apiserver-remote-cert');
  putSecret(cluster, 'clustermesh-apiserver-client-cert', { 'ca.crt': 'CA' });
  expect((await status()).stdout).toMatch(
    /^Trying to get secret clustermesh-apiserver-remote-cert by deprecated name clustermesh-apiserver-client-cert\n⚠️ Deprecated secret name "clustermesh-apiserver-client-cert", should be changed to "clustermesh-apiserver-remote-cert"\n/,
  );
});

test('--wait waits for each step, and tells every ten seconds', async () => {
  putDeployment(cluster, { availableReplicas: 0 });
  cluster.says['cilium-2'] = [];
  let looks = 0;
  cluster.before = (line) => {
    if (line.includes('/deployments/') && ++looks === 8) putDeployment(cluster, {});
    if (line.endsWith('/secrets/cilium-clustermesh') && ++looks === 10)
      cluster.says['cilium-2'] = [{ name: 'cluster2', ...READY }];
  };
  const { stdout, code } = await status('--wait');
  const waiting = stdout.split('\n').filter((line) => line.startsWith('⌛'));
  expect(waiting).toEqual([
    '⌛ Waiting (0s) for deployment clustermesh-apiserver to become ready: only 0 of 1 replicas are available',
    '⌛ Waiting (12s) for deployment clustermesh-apiserver to become ready: only 0 of 1 replicas are available',
    '⌛ Waiting (0s) for clusters to be connected: 1 nodes are not ready',
  ]);
  expect(code).toBe(0);
});

test('--wait that is over prints what is known', async () => {
  cluster.says['cilium-2'] = [];
  const { stdout, stderr, code } = await status('--wait', '--wait-duration', '5s');
  expect(stdout).toContain('  ❌ cilium-2 is not connected to cluster cluster2: unknown status\n');
  expect(stderr).toContain(
    'Unable to determine status:  timeout while waiting for condition, last error: 1 nodes are not ready',
  );
  expect(code).toBe(1);
  const json = await status('--wait', '--wait-duration', '5s', '-o', 'json');
  expect([JSON.parse(json.stdout).connectivity.not_ready, json.code]).toEqual([1, 1]);
});

test('a cluster without agents is no mesh that is connected', async () => {
  for (const path of [...cluster.objects.keys()]) if (path.includes('/pods/')) cluster.objects.delete(path);
  const { stderr, code } = await status();
  expect(stderr).toContain('Unable to determine status:  no agent of Cilium was found');
  expect(code).toBe(1);
});

test('a node and a replica that hang end by themselves', async () => {
  const { exec } = cluster;
  cluster.exec = (pod, command) =>
    pod === 'cilium-2' && command[0] === 'cilium-dbg' ? 'hangs' : exec(pod, command);
  const { stdout, code } = await run(['clustermesh', 'status', '-n', 'kube-system', '--timeout', '10s'], {
    env: { KUBECONFIG: cluster.kubeconfig },
  });
  cluster.exec = exec;
  expect(stdout).toContain('  ❌ cilium-2 could not be asked: no answer within 10 s\n');
  expect(code).toBe(3);
});
