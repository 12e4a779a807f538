import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';

const APPS = '/apis/apps/v1/namespaces/kube-system';
const PODS = '/api/v1/namespaces/kube-system/pods';
const TAINT = { key: 'node.cilium.io/agent-not-ready', effect: 'NoSchedule' };
const JSON_TYPE = 'application/json';

interface Listed {
  items: { metadata: { name: string }; spec: { nodeName: string } }[];
}

describe('status --rollout', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test('of a cluster where nothing is under way', async () => {
    const { stdout, stderr, code } = await cluster.run(['status', '--rollout']);
    expect(stdout).toMatch(
      /^DaemonSet cilium: 3 of 3 pods new and ready \(quay\.io\/cilium\/cilium:v[-.\w]+\)$/m,
    );
    expect(stdout).toMatch(/^Deployment cilium-operator: 1 of 1 pod new and ready /m);
    expect([stdout.split('\n').length, stderr, code]).toEqual([4, '', 0]);
  });

  test('names what is old, what holds it up, and why', async () => {
    const revision = (name: string, number: number) => ({
      metadata: {
        name: `cilium-${name}`,
        namespace: 'kube-system',
        labels: { 'k8s-app': 'cilium', 'controller-revision-hash': name },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'cilium', uid: 'u' }],
      },
      revision: number,
    });
    await cluster.call('POST', `${APPS}/controllerrevisions`, revision('first', 1), JSON_TYPE);
    await cluster.call('POST', `${APPS}/controllerrevisions`, revision('second', 2), JSON_TYPE);
    const listed = await cluster.call('GET', `${PODS}?labelSelector=k8s-app%3Dcilium`);
    const [done, failing, old] = (listed.json as Listed).items;
    for (const [pod, hash] of [
      [done, 'second'],
      [failing, 'second'],
      [old, 'first'],
    ] as const)
      await cluster.call('PATCH', `${PODS}/${pod?.metadata.name}`, {
        metadata: { labels: { 'controller-revision-hash': hash } },
      });
    await cluster.call('PATCH', `${PODS}/${failing?.metadata.name}`, {
      status: {
        containerStatuses: [
          { name: 'cilium-agent', ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    });
    const event = (name: string, type: string, message: string, lastTimestamp: string) => ({
      metadata: { name, namespace: 'kube-system' },
      involvedObject: { kind: 'Pod', name: failing?.metadata.name },
      type,
      reason: 'BackOff',
      message,
      lastTimestamp,
    });
    const events = '/api/v1/namespaces/kube-system/events';
    await cluster.call('POST', events, event('e1', 'Warning', 'older', '2026-01-01T00:00:00Z'), JSON_TYPE);
    await cluster.call(
      'POST',
      events,
      event('e2', 'Warning', 'the\u001b[31m last', '2026-02-01T00:00:00Z'),
      JSON_TYPE,
    );
    await cluster.call('POST', events, event('e3', 'Normal', 'Pulled', '2026-03-01T00:00:00Z'), JSON_TYPE);
    const { stdout, code } = await cluster.run(['status', '--rollout']);
    expect(stdout).toContain('DaemonSet cilium: 1 of 3 pods new and ready');
    expect(stdout).toMatch(/^ {2}NODE +POD +IMAGE +TEMPLATE +AGE +STATE$/m);
    expect(stdout).toMatch(
      new RegExp(`^  ${failing?.spec.nodeName} .* new .* the container waits: CrashLoopBackOff$`, 'm'),
    );
    expect(stdout).toMatch(new RegExp(`^  ${old?.spec.nodeName} .* old .* ready$`, 'm'));
    expect(stdout).not.toMatch(new RegExp(`^  ${done?.spec.nodeName} `, 'm'));
    expect(stdout).toContain(
      `  Held up by ${failing?.metadata.name} on ${failing?.spec.nodeName}: the container waits: CrashLoopBackOff\n`,
    );
    expect(stdout).toMatch(/^ {4}event, \w+ ago: BackOff: the.*last$/m);
    expect([stdout.includes('older'), stdout.includes('\u001b'), code]).toEqual([false, false, 1]);
    const document = JSON.parse((await cluster.run(['status', '--rollout', '-o', 'json'])).stdout);
    expect(document.workloads[0]).toMatchObject({ name: 'cilium', done: false, desired: 3 });
    expect(document.workloads[0].heldUpBy.event.reason).toBe('BackOff');
  });

  test('names a taint that stays', async () => {
    const nodes = await cluster.call('GET', `${PODS}?labelSelector=k8s-app%3Dcilium`);
    const ready = (nodes.json as Listed).items.map(({ spec }) => spec.nodeName);
    await cluster.call('PATCH', `/api/v1/nodes/${ready[0]}`, { spec: { taints: [TAINT] } });
    const { stdout } = await cluster.run(['status', '--rollout']);
    expect(stdout).toContain(
      `Node ${ready[0]} keeps the taint of an agent that is not ready, and its agent is ready.\n`,
    );
    expect(stdout.match(/ keeps the taint /g)).toHaveLength(1);
  });

  test('--watch shows it again when it has changed', async () => {
    const controller = new AbortController();
    const shown = Promise.withResolvers<void>();
    let told = '';
    const watching = cluster.run(['status', '--rollout', '--watch', '--interval', '50ms'], {
      signal: controller.signal,
      onStdout: (text) => {
        told += text;
        shown.resolve();
        if (/\n\nDaemonSet cilium: /.test(told)) controller.abort();
      },
    });
    const [node = ''] = cluster.lab.info.kube?.nodes ?? [];
    await shown.promise;
    for (const one of cluster.lab.info.kube?.nodes ?? [])
      await cluster.call('PATCH', `/api/v1/nodes/${one}`, { spec: { taints: one === node ? [TAINT] : [] } });
    const { stdout, code } = await watching;
    expect(stdout).toMatch(/^DaemonSet cilium: /);
    expect(stdout).toMatch(/\n\nDaemonSet cilium: /);
    expect(code).toBe(0);
  });
});

describe('status --consistency', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test('of a sound cluster', async () => {
    const { stdout, stderr, code } = await cluster.run(['status', '--consistency']);
    expect(stdout).toMatch(
      /^Compared: \d+ pods, \d+ CiliumEndpoints, \d+ CiliumIdentities, 3 nodes, 3 CiliumNodes, 3 agents\n/,
    );
    expect(stdout).toMatch(/\nThey agree\.\n$/);
    expect([stderr, code]).toEqual(['', 0]);
  });

  test('names a pod that has no CiliumEndpoint, and is not sound then', async () => {
    const { json } = await cluster.call('GET', '/apis/cilium.io/v2/ciliumendpoints');
    const [first] = (json as { items: { metadata: { namespace: string; name: string } }[] }).items;
    const { namespace = '', name = '' } = first?.metadata ?? {};
    await cluster.call('DELETE', `/apis/cilium.io/v2/namespaces/${namespace}/ciliumendpoints/${name}`);
    const { stdout, code } = await cluster.run(['status', '--consistency']);
    expect(stdout).toMatch(
      new RegExp(`^pods +${namespace}/${name} +\\S+ +it runs and has no CiliumEndpoint$`, 'm'),
    );
    expect(code).toBe(1);
  });

  test('says what is not compared, and does not call it sound', async () => {
    await cluster.call('PATCH', '/api/v1/namespaces/kube-system/configmaps/cilium-config', {
      data: { 'disable-endpoint-crd': 'true', 'identity-allocation-mode': 'kvstore' },
    });
    const { stdout, stderr, code } = await cluster.run(['status', '--consistency']);
    expect(stdout).toMatch(/\nWhat could be compared agrees\.\n$/);
    expect(stderr).toBe(
      'Not compared: CiliumEndpoints: the agents make none (disable-endpoint-crd)\n' +
        'Not compared: CiliumIdentities: identities are in the kvstore (identity-allocation-mode)\n',
    );
    expect(code).toBe(3);
  });

  test.each<[string[], string]>([
    [['--consistency', '--watch'], '--consistency and --watch cannot be used together'],
    [['--consistency', '--rollout'], '--consistency and --rollout cannot be used together'],
    [['--consistency', '--fail-on', 'warning'], '--consistency and --fail-on cannot be used together'],
    [['--rollout', '--unmanaged'], '--rollout and --unmanaged cannot be used together'],
    [['--rollout', '--compat-exit'], '--rollout and --compat-exit cannot be used together'],
    [['--rollout', '--fail-on', 'warning'], '--rollout and --fail-on cannot be used together'],
    [['--rollout', '--ignore-warnings'], '--rollout and --ignore-warnings cannot be used together'],
    [['--rollout', '--watch', '--wait'], '--watch and --wait cannot be used together'],
    [['--watch', '--interval', '0s'], '--interval 0s is too short: the shortest is 10ms'],
    [['--brief'], '--brief is for the status of an agent'],
    [['--consistency', '-o', 'yaml'], '-o yaml is not a form of --consistency'],
    [['--rollout', '-o', 'yaml'], '-o yaml is not a form of --rollout'],
    [['--rollout', '--watch', '-o', 'json'], '--watch shows a text'],
    [['--watch', '-o', 'json'], '--watch shows a text'],
    [['--agent', '--rollout'], '--rollout is for the status of a cluster'],
  ])('%j is refused', async (flags, message) => {
    const { stdout, stderr, code } = await cluster.run(['status', ...flags]);
    expect(stderr).toContain(message);
    // The usage of the reference knows none of these flags.
    expect([stdout, code]).toEqual(['', 1]);
  });
});
