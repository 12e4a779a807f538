import { expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { until } from '../../helpers/until.ts';

const APPS = '/apis/apps/v1/namespaces/default';
const CORE = '/api/v1/namespaces/default';

interface Item {
  metadata: { name: string; labels?: Record<string, string>; generation: number };
  spec: { nodeName?: string; clusterIP?: string; ports?: { nodePort?: number }[] };
  status: { podIP?: string; phase?: string; [field: string]: unknown };
  [field: string]: unknown;
}

async function items(cluster: TestCluster, path: string): Promise<Item[]> {
  const { json } = await cluster.call('GET', path);
  return (json as { items: Item[] }).items;
}

const deployment = (name: string, replicas: number, spec: object = {}, labels: object = {}) => ({
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name, ...labels } },
      spec: {
        containers: [{ name: 'c', image: 'any', ports: [{ name: 'http', containerPort: 8080 }] }],
        ...spec,
      },
    },
  },
});

const podsOf = async (cluster: TestCluster, app: string) =>
  (await items(cluster, `${CORE}/pods`)).filter(({ metadata }) => metadata.labels?.app === app);

const isRunning = ({ status }: Item) => status.phase === 'Running';

test('a Deployment gets its pods with endpoints on nodes, follows its size and its template, and takes them along', async () => {
  await using cluster = await startTestCluster();
  await cluster.call('POST', `${APPS}/deployments`, deployment('web', 2));
  const first = await until(async () => {
    const pods = await podsOf(cluster, 'web');
    return pods.length === 2 && pods.every(isRunning) && pods;
  });
  expect(new Set(first.map(({ spec }) => spec.nodeName)).size).toBe(2);
  const endpoints = await items(cluster, '/apis/cilium.io/v2/namespaces/default/ciliumendpoints');
  for (const { metadata, status } of first) {
    const endpoint = endpoints.find((one) => one.metadata.name === metadata.name);
    expect(endpoint?.status.networking).toMatchObject({ addressing: [{ ipv4: status.podIP }] });
  }
  await cluster.call('PATCH', `${APPS}/deployments/web/scale`, { spec: { replicas: 3 } });
  await until(async () => (await podsOf(cluster, 'web')).filter(isRunning).length === 3);
  const restart = { spec: { template: { metadata: { annotations: { again: 'yes' } } } } };
  const { json } = await cluster.call('PATCH', `${APPS}/deployments/web`, restart);
  const { generation } = (json as Item).metadata;
  await until(async () => {
    const [{ status } = {} as Item] = await items(cluster, `${APPS}/deployments`);
    return status.observedGeneration === generation && status.updatedReplicas === 3 && status.replicas === 3;
  });
  const names = (await podsOf(cluster, 'web')).map(({ metadata }) => metadata.name);
  expect(names.filter((name) => first.some((old) => old.metadata.name === name))).toEqual([]);
  await cluster.call('DELETE', `${APPS}/deployments/web`);
  await until(async () => (await podsOf(cluster, 'web')).length === 0);
  await until(async () => {
    const left = await items(cluster, '/apis/cilium.io/v2/namespaces/default/ciliumendpoints');
    return !left.some(({ metadata }) => /^web-[0-9a-f]+-/.test(metadata.name));
  });
});

test('affinity decides about nodes, and what fits nowhere is told to be pending', async () => {
  await using cluster = await startTestCluster();
  await cluster.call(
    'POST',
    `${APPS}/deployments`,
    deployment('one', 1, { nodeSelector: { 'kubernetes.io/hostname': 'node2' } }),
  );
  await until(async () => (await podsOf(cluster, 'one')).some(isRunning));
  const near = (app: string) => ({
    requiredDuringSchedulingIgnoredDuringExecution: [
      { labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' },
    ],
  });
  await cluster.call(
    'POST',
    `${APPS}/deployments`,
    deployment('same', 1, { affinity: { podAffinity: near('one') } }),
  );
  await cluster.call(
    'POST',
    `${APPS}/deployments`,
    deployment('other', 1, { affinity: { podAntiAffinity: near('one') } }),
  );
  await cluster.call('POST', `${APPS}/deployments`, deployment('none', 1, { nodeSelector: { no: 'node' } }));
  const nodeOf = async (app: string) => (await podsOf(cluster, app)).find(isRunning)?.spec.nodeName;
  expect(await until(() => nodeOf('same'))).toBe('node2');
  expect(await until(() => nodeOf('other'))).not.toBe('node2');
  const [pending] = await until(async () => {
    const pods = await podsOf(cluster, 'none');
    return pods.length > 0 && pods[0]?.status.phase !== undefined && pods;
  });
  expect(pending?.status).toMatchObject({
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
  });
});

test('a DaemonSet has a pod on each node and replaces them one by one', async () => {
  await using cluster = await startTestCluster();
  const { replicas: _, ...spec } = deployment('ds', 0, { hostNetwork: true }).spec;
  await cluster.call('POST', `${APPS}/daemonsets`, { metadata: { name: 'ds', namespace: 'default' }, spec });
  await until(async () => (await podsOf(cluster, 'ds')).filter(isRunning).length === 3);
  const nodes = await items(cluster, '/api/v1/nodes');
  const addresses = nodes.map(({ status }) => (status.addresses as { address: string }[])[0]?.address);
  const pods = await podsOf(cluster, 'ds');
  expect(pods.map(({ status }) => status.podIP).sort()).toEqual(addresses.sort());
  // The agents' own DaemonSet ends a roll-out as well.
  const path = '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium';
  const again = { spec: { template: { metadata: { annotations: { again: 'yes' } } } } };
  const { json } = await cluster.call('PATCH', path, again);
  await until(async () => {
    const now = (await cluster.call('GET', path)).json as Item;
    return (
      now.status.observedGeneration === (json as Item).metadata.generation &&
      now.status.updatedNumberScheduled === 3 &&
      now.status.numberAvailable === 3
    );
  });
  const { code, stdout } = await cluster.run(['endpoint', 'list', '--node', 'node2', '-o', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).length).toBeGreaterThan(0);
});

test('a Service gets addresses, and knows the pods behind it until they go', async () => {
  await using cluster = await startTestCluster();
  await cluster.call('POST', `${APPS}/deployments`, deployment('web', 1));
  const service = {
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
  };
  await cluster.call('POST', `${CORE}/services`, service);
  const addressesIn = async () =>
    (await items(cluster, `${CORE}/endpoints`))
      .filter(({ metadata }) => metadata.name === 'web')
      .flatMap(({ subsets }) => subsets as { addresses: { ip: string }[]; ports: { port: number }[] }[]);
  const [subset] = await until(async () => {
    const subsets = await addressesIn();
    return subsets.length > 0 && subsets;
  });
  const [pod] = await podsOf(cluster, 'web');
  expect(subset).toMatchObject({ addresses: [{ ip: pod?.status.podIP }], ports: [{ port: 8080 }] });
  const [{ spec } = {} as Item] = (await items(cluster, `${CORE}/services`)).filter(
    ({ metadata }) => metadata.name === 'web',
  );
  expect(spec.clusterIP).toMatch(/^10\.97\./);
  expect(spec.ports?.[0]?.nodePort).toBeGreaterThanOrEqual(30_000);
  const line = new RegExp(`${spec.clusterIP}:80/TCP +ClusterIP +1 => ${pod?.status.podIP}:8080/TCP`);
  await until(async () => line.test((await cluster.run(['service', 'list', '--node', 'node3'])).stdout));
  await cluster.call('PATCH', `${APPS}/deployments/web/scale`, { spec: { replicas: 0 } });
  await until(async () => (await addressesIn()).length === 0);
});

test('what a client writes into a status stands', async () => {
  await using cluster = await startTestCluster();
  await cluster.call('POST', `${APPS}/deployments`, {
    ...deployment('web', 2),
    status: { observedGeneration: 1, replicas: 2, readyReplicas: 1 },
  });
  await new Promise((wait) => setTimeout(wait, 200));
  const [web] = await items(cluster, `${APPS}/deployments`);
  expect(web?.status).toEqual({ observedGeneration: 1, replicas: 2, readyReplicas: 1 });
  expect(await podsOf(cluster, 'web')).toEqual([]);
});

test('a namespace takes along what is in it', async () => {
  await using cluster = await startTestCluster();
  await cluster.call('POST', '/api/v1/namespaces', { metadata: { name: 'x' } });
  await cluster.call('POST', '/api/v1/namespaces/x/pods', {
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'any' }] },
  });
  await until(async () => (await items(cluster, '/api/v1/namespaces/x/pods')).some(isRunning));
  await cluster.call('DELETE', '/api/v1/namespaces/x');
  await until(async () => (await items(cluster, '/api/v1/namespaces/x/pods')).length === 0);
});
