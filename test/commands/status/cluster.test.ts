import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { fixture } from '../../helpers/recordings.ts';

interface Recorded {
  cases: {
    name: string;
    calls: { method: string; path: string; body?: unknown; type?: string }[];
    text: string;
    json: string;
    exit: number;
    stderr: string;
  }[];
}

describe('status of a cluster, as the reference prints it', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: cluster-status-colour, cluster-status-collection
  // One after the other: each changes the cluster that the one before left.
  test.each(fixture<Recorded>('recordings/cluster-status.json').cases)('$name', async (recorded) => {
    for (const { method, path, body, type } of recorded.calls) {
      const { status } = await cluster.call(method, path, body, type);
      expect(status).toBeLessThan(300);
    }
    const text = await cluster.run(['status', '--color', 'always', '--compat-exit']);
    expect(text.stdout).toBe(recorded.text);
    expect(text.code).toBe(recorded.exit);
    const told = recorded.stderr.trim();
    if (told !== '') expect(text.stderr).toContain(told);
    const json = await cluster.run(['status', '-o', 'json']);
    // The reference's errors of a collection are empty objects, or Go's own form of them.
    const { collection_errors: ours, ...rest } = JSON.parse(json.stdout);
    const { collection_errors: theirs, ...same } = JSON.parse(recorded.json);
    expect(JSON.stringify(rest)).toBe(JSON.stringify(same));
    expect(ours?.length).toBe(theirs?.length);
    if (theirs === undefined) expect(json.stdout).toBe(recorded.json);
  });
});

describe('status of a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ scenario: 'incident' });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: cluster-status-agents
  test('holds what each agent says', async () => {
    const { stdout, stderr, code } = await cluster.run(['status', '-o', 'json']);
    const { cilium_status: agents, cilium_endpoints: endpoints, errors } = JSON.parse(stdout);
    expect(Object.keys(agents)).toHaveLength(3);
    expect(Object.values(agents).every((one) => Object.hasOwn(Object(one), 'cilium'))).toBe(true);
    // Fields are those of the agent, in its order.
    const [first = ''] = Object.keys(agents);
    const of = cluster.lab.info.kube?.nodes[0] ?? '';
    const itself = await cluster.run(['status', '--node', of, '-o', 'json']);
    expect(Object.keys(agents[first])).toEqual(Object.keys(JSON.parse(itself.stdout)));
    expect(Object.values(endpoints).flat().length).toBeGreaterThan(5);
    expect([JSON.stringify(errors).includes('controller '), code, stderr]).toEqual([true, 1, '']);
  });

  test('sockets that the environment names are those of this machine', async () => {
    const env = { CILIUM_SOCK: '/nowhere', CILIUM_HOST: 'tcp://127.0.0.1:1' };
    for (const words of [
      ['status', '--cluster'],
      ['bgp', 'peers', '--cluster'],
      ['features', 'status'],
    ]) {
      const { stdout, stderr } = await cluster.run(words, { env });
      expect(stdout + stderr).not.toMatch(/nowhere|127\.0\.0\.1:1/);
    }
  });

  // differs: cluster-status-exit
  test('exits with 1 for errors, whatever the reference does', async () => {
    expect((await cluster.run(['status'])).code).toBe(1);
    expect((await cluster.run(['status', '--compat-exit'])).code).toBe(0);
  });

  test('waits no longer than it is told to', async () => {
    const { stdout, stderr, code } = await cluster.run(['status', '--wait', '--wait-duration', '1s']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toMatch(/^ {4}\/¯¯\\\n/);
    expect(stderr).toContain(
      'Error: Unable to determine status:  timeout while waiting for status to become successful: context deadline exceeded\n',
    );
  });

  // differs: cluster-status-unmanaged
  test('names the pods that are not managed, and why', async () => {
    const path = '/api/v1/namespaces/default/pods';
    const pod = (name: string, nodeName: string, startTime: string) => ({
      metadata: { name, namespace: 'default' },
      spec: { nodeName },
      status: { phase: 'Running', startTime },
    });
    const { lab } = cluster;
    const [first = ''] = lab.info.kube?.nodes ?? [];
    await cluster.call('POST', path, pod('old', first, '2020-01-01T00:00:00Z'), 'application/json');
    await cluster.call('POST', path, pod('far', 'elsewhere', '2020-01-01T00:00:00Z'), 'application/json');
    const quiet = await cluster.run(['status', '--compat-exit']);
    expect(quiet.stderr).toBe('2 pods are not managed by Cilium: --unmanaged tells which, and why.\n');
    const { stdout } = await cluster.run(['status', '--compat-exit', '--unmanaged']);
    // Time goes on between the two.
    const still = (text: string) => text.replaceAll(/failing since \d+s/g, 'failing');
    expect(still(stdout)).toBe(
      `${still(quiet.stdout)}
NAMESPACE   POD   NODE        REASON
default     far   elsewhere   no agent of Cilium runs on its node
default     old   ${first.padEnd(12)}it started before the agent of its node: if another CNI set its network up, start it anew
`,
    );
  });

  test.each<[string[], string]>([
    [['--cluster', '--node', 'n1'], '--cluster asks the API server: --node, --pod and --host name an agent'],
    [['--cluster', '--agent'], '--agent and --cluster cannot be used together'],
    [['-o', 'yaml'], "-o yaml is for an agent's status"],
    [['--context', 'other'], 'the kubeconfig has no context "other"'],
    [['--brief'], '--brief is for the status of an agent, and the cluster is meant'],
    [['--all-nodes'], '--all-nodes is for the status of an agent'],
    [['--agent', '--wait'], '--wait is for the status of a cluster, and an agent is meant'],
    [['--node', 'n1', '--worker-count', '3'], '--worker-count is for the status of a cluster'],
    [['--worker-count', '0'], 'expected a number from 1 to 500'],
  ])('%j is refused', async (flags, message) => {
    const { stdout, stderr, code } = await cluster.run(['status', ...flags]);
    expect([stdout.includes('¯'), code]).toEqual([false, 1]);
    expect(stderr).toContain(message);
  });

  // differs: wrong-words-own
  test('a wrong flag prints no usage of the agent’s tool', async () => {
    for (const words of [['status'], ['bgp', 'peers'], ['version'], ['policy', 'get']]) {
      const { stdout, stderr, code } = await cluster.run([...words, '--nonsense']);
      expect([stdout, code]).toEqual(['', 1]);
      expect(stderr).toContain("Error: unknown option '--nonsense'\n");
    }
    expect((await cluster.run(['status', '--agent', '--nonsense'])).stdout).toContain('Usage:');
  });

  // differs: cluster-status-phases, cluster-status-twice, cluster-status-crash
  test('counts each pod once, in a fixed order, whatever one agent does', async () => {
    const pods = '/api/v1/namespaces/kube-system/pods';
    const { json } = await cluster.call('GET', `${pods}?labelSelector=io.cilium%2Fapp%3Doperator`);
    const [{ metadata }] = (json as { items: { metadata: { name: string } }[] }).items as [
      { metadata: { name: string } },
    ];
    await cluster.call('PATCH', `${pods}/${metadata.name}`, { status: { phase: 'Pending' } });
    const agents = await cluster.call('GET', `${pods}?labelSelector=k8s-app%3Dcilium`);
    const names = (agents.json as { items: { metadata: { name: string } }[] }).items.map(
      (one) => one.metadata.name,
    );
    await cluster.call('PATCH', `${pods}/${names[0]}`, { status: { phase: 'Failed', reason: 'Evicted' } });
    const containerStatuses = [{ name: 'cilium-agent', state: { waiting: { reason: 'CrashLoopBackOff' } } }];
    await cluster.call('PATCH', `${pods}/${names[1]}`, { status: { containerStatuses } });
    const { stdout } = await cluster.run(['status']);
    expect(stdout).toContain('Containers:            cilium                   Failed: 1, Running: 2\n');
    expect(stdout.match(/pod is pending/g)).toHaveLength(1);
    expect(stdout).toMatch(/Cluster Pods: +\d+\/\d+ managed/);
    expect(stdout).toContain('container cilium-agent is in CrashLoopBackOff');
  });

  test('--node shows one agent', async () => {
    const [, second = ''] = cluster.lab.info.kube?.nodes ?? [];
    const there = await cluster.run(['status', '--node', second, '--brief']);
    expect([there.stdout, there.code]).toEqual(['OK\n', 0]);
  });
});
