import { expect } from '@jest/globals';
import { type PodCluster, podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

const POLICIES = '/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies';
const [OK, TIMED_OUT] = [0, 28];

/** Makes a policy; resolves when the API has taken it and every node says that it is realised. */
async function impose(pods: PodCluster, change: number, name: string, spec: object): Promise<void> {
  const { status } = await pods.cluster.call('POST', POLICIES, {
    metadata: { name, namespace: 'default' },
    spec,
  });
  expect(status).toBe(201);
  await settled(pods, change);
}

async function lift(pods: PodCluster, change: number, name: string): Promise<void> {
  await pods.cluster.call('DELETE', `${POLICIES}/${name}`);
  await settled(pods, change);
}

/** Waits until both nodes enforce what the API holds after so many changes: time does not pass for `policy wait` here. */
async function settled(pods: PodCluster, changes: number): Promise<void> {
  const words = ['policy', 'wait', String(1 + changes), '--max-wait-time', '1', '--node'];
  for (const node of ['node1', 'node2'])
    await until(async () => (await pods.cluster.run([...words, node])).code === 0);
}

const echoSelector = { matchLabels: { name: 'echo' } };

podTest(
  'what a policy does not allow is dropped, at both ends and on both nodes; what it allows goes on',
  async () => {
    await using pods = await startPodCluster();
    const echo = await pods.deploy('echo', { node: 'node1', serves: true });
    const near = await pods.deploy('near', { node: 'node1' });
    const far = await pods.deploy('far', { node: 'node2', labels: { is: 'let-in' } });
    const host = await pods.deploy('host', { node: 'node1', hostNetwork: true });
    const url = `http://${echo.ip}:8080/`;
    const codes = async () => [(await pods.curl(near.name, url)).code, (await pods.curl(far.name, url)).code];
    expect(await codes()).toEqual([OK, OK]);
    await impose(pods, 1, 'deny', { endpointSelector: echoSelector, ingress: [{}] });
    expect(await codes()).toEqual([TIMED_OUT, TIMED_OUT]);
    // A node reaches its own pods, as kubelets have to.
    expect((await pods.curl(host.name, url)).code).toBe(OK);
    await impose(pods, 2, 'one', {
      endpointSelector: echoSelector,
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { is: 'let-in' } }],
          toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }],
        },
      ],
    });
    expect(await codes()).toEqual([TIMED_OUT, OK]);
    expect((await pods.curl(far.name, `http://${echo.ip}:9090/`)).code).toBe(TIMED_OUT);
    await lift(pods, 3, 'deny');
    await lift(pods, 4, 'one');
    expect(await codes()).toEqual([OK, OK]);
    await impose(pods, 5, 'out', { endpointSelector: { matchLabels: { name: 'far' } }, egress: [{}] });
    expect(await codes()).toEqual([OK, TIMED_OUT]);
  },
);

podTest(
  'a denial goes before what is allowed, a new pod is under the policy from its beginning',
  async () => {
    await using pods = await startPodCluster();
    const echo = await pods.deploy('echo', { node: 'node1', serves: true });
    await impose(pods, 1, 'rules', {
      endpointSelector: echoSelector,
      ingress: [{ fromEntities: ['cluster'] }],
      ingressDeny: [{ fromEndpoints: [{ matchLabels: { is: 'bad' } }] }],
    });
    const good = await pods.deploy('good', { node: 'node2' });
    const bad = await pods.deploy('bad', { node: 'node2', labels: { is: 'bad' } });
    const url = `http://${echo.ip}:8080/`;
    expect([(await pods.curl(good.name, url)).code, (await pods.curl(bad.name, url)).code]).toEqual([
      OK,
      TIMED_OUT,
    ]);
  },
);
