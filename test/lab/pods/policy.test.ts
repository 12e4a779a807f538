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
    const { hubbleTcp } = pods.cluster.lab.info;
    const seen = await pods.cluster.run(['hubble', 'observe', '--last', '500', '--server', hubbleTcp]);
    for (const name of [near.name, far.name])
      expect(seen.stdout).toMatch(
        new RegExp(
          `default/${name}:\\d+ .*<> default/${echo.name}:8080 .*Policy denied DROPPED \\(TCP Flags: SYN\\)`,
        ),
      );
    expect(seen.stdout).toMatch(
      new RegExp(`default/${echo.name}:8080 .* FORWARDED \\(TCP Flags: SYN, ACK\\)`),
    );
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

podTest('the proxy passes on what HTTP rules and DNS rules allow, in the name of who asks', async () => {
  await using pods = await startPodCluster();
  const echo = await pods.deploy('echo', { node: 'node1', serves: true });
  const near = await pods.deploy('near', { node: 'node1' });
  const far = await pods.deploy('far', { node: 'node2' });
  const get = [
    { ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/public' }] } },
  ];
  await impose(pods, 1, 'http', {
    endpointSelector: echoSelector,
    ingress: [
      { fromEndpoints: [{ matchLabels: { name: 'near' } }, { matchLabels: { name: 'far' } }], toPorts: get },
    ],
  });
  const REFUSED = 22;
  for (const { name } of [near, far]) {
    expect((await pods.curl(name, `http://${echo.ip}:8080/public`)).code).toBe(OK);
    expect((await pods.curl(name, `http://${echo.ip}:8080/private`)).code).toBe(REFUSED);
  }
  await lift(pods, 2, 'http');
  const dns = { rules: { dns: [{ matchName: 'kubernetes.default.svc.cluster.local' }] } };
  await impose(pods, 3, 'dns', {
    endpointSelector: { matchLabels: { name: 'near' } },
    egress: [
      {
        toEndpoints: [
          { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } },
        ],
        toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], ...dns }],
      },
      { toEndpoints: [{ matchLabels: { name: 'echo' } }], toPorts: get },
    ],
  });
  const lookup = (name: string) => pods.exec(near.name, 'nslookup', '-type=A', '-timeout=2', name);
  expect((await lookup('kubernetes.default.svc.cluster.local.')).stdout).toContain('10.96.0.1');
  expect((await lookup('kube-dns.kube-system.svc.cluster.local.')).stdout).toContain('REFUSED');
  expect((await pods.curl(near.name, `http://${echo.ip}:8080/public`)).code).toBe(OK);
  expect((await pods.curl(near.name, `http://${echo.ip}:8080/private`)).code).toBe(REFUSED);
  const server = pods.cluster.lab.info.hubbleTcp;
  const { stdout } = await pods.cluster.run(['hubble', 'observe', '--last', '500', '--server', server]);
  expect(stdout).toMatch(
    /default\/near-\S+ \(ID:\d+\) [-<]> default\/echo-\S+ \(ID:\d+\) http-request DROPPED/,
  );
  expect(stdout).toMatch(
    /default\/near-\S+ \(ID:\d+\) <- \S+ \(ID:\d+\) dns-response proxy FORWARDED .*Query Refused/,
  );
});
