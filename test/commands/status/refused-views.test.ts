import { describe, expect, test } from '@jest/globals';
import { listPodFacts } from '../../../src/kube/inventory.ts';
import { answerJson, kubeClient, refusal, serveKube } from '../../helpers/kube.ts';
import { type RunOptions, type RunResult, run } from '../../helpers/run.ts';

const APPS = '/apis/apps/v1/namespaces/kube-system';
const CORE = '/api/v1/namespaces/kube-system';
const HASH = 'controller-revision-hash';

const container = (name: string, image: string) => ({ name, image });
const agent = (name: string, node: string, more: object = {}, status: object = {}) => ({
  metadata: { namespace: 'kube-system', name, labels: { 'k8s-app': 'cilium', [HASH]: 'b' }, ...more },
  spec: { nodeName: node, containers: [container('cilium-agent', 'cilium:v2')] },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'cilium-agent', ready: true, state: { running: {} } }],
    ...status,
  },
});
const workload = (name: string, main: string, desired: number) => ({
  metadata: { name, generation: 1 },
  spec: {
    replicas: desired,
    selector: { matchLabels: { 'k8s-app': name } },
    template: { spec: { containers: [container(main, 'cilium:v2')] } },
  },
  status: { observedGeneration: 1, desiredNumberScheduled: desired },
});
const revision = (hash: string, number: number) => ({
  metadata: {
    name: hash,
    labels: { [HASH]: hash },
    ownerReferences: [{ kind: 'DaemonSet', name: 'cilium' }],
  },
  revision: number,
});

/** What is refused with a message of two lines. */
const NO = Symbol('forbidden');
type Answers = Record<string, unknown>;
const SOUND: Answers = {
  [`${APPS}/daemonsets/cilium`]: workload('cilium', 'cilium-agent', 2),
  [`${APPS}/controllerrevisions`]: { items: [revision('a', 1), revision('b', 2)] },
  [`${CORE}/pods`]: { items: [agent('cilium-1', 'n1'), agent('cilium-2', 'n2')] },
  [`${CORE}/configmaps/cilium-config`]: { metadata: { name: 'cilium-config' }, data: {} },
  '/api/v1/nodes': { items: [{ metadata: { name: 'n1' } }, { metadata: { name: 'n2' } }] },
};

/** A run against an API server that gives these answers and knows nothing else. */
async function told(
  argv: string[],
  answers: Answers,
  options: RunOptions = {},
): Promise<RunResult & { asked: string[] }> {
  const asked: string[] = [];
  await using server = await serveKube(({ url = '' }, response) => {
    asked.push(url);
    const { pathname } = new URL(url, 'http://x');
    const answer = answers[pathname];
    if (answer === NO)
      answerJson(response, refusal(403, 'Forbidden', `no ${pathname}\nNot compared: nothing`), 403);
    else if (answer === undefined) answerJson(response, refusal(404, 'NotFound', 'not found'), 404);
    else answerJson(response, answer);
  });
  const env = { KUBECONFIG: server.kubeconfig, CILIUM_TARGET: 'cluster', CILIUM_NAMESPACE: 'kube-system' };
  return { ...(await run(['status', ...argv], { nowMs: Date.now(), ...options, env })), asked };
}

describe('status --rollout of a cluster that is not seen as a whole', () => {
  test('is done where all is', async () => {
    const { stdout, stderr, code } = await told(['--rollout'], SOUND);
    expect([stdout, stderr, code]).toEqual([
      'DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n',
      '',
      0,
    ]);
  });

  test('the image tells where templates may not be read, with a note in one line', async () => {
    const { stdout, stderr, code } = await told(['--rollout'], {
      ...SOUND,
      [`${APPS}/controllerrevisions`]: NO,
    });
    expect(stdout).toBe('DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n');
    expect(stderr).toBe(
      `Note: of DaemonSet cilium templates are not known, and the image tells: no ${APPS}/controllerrevisions\\nNot compared: nothing\n`,
    );
    expect(code).toBe(0);
  });

  test('a workload that may not be read does not hide the others', async () => {
    const { stdout, stderr, code } = await told(['--rollout'], {
      ...SOUND,
      [`${APPS}/deployments/cilium-operator`]: NO,
    });
    expect(stdout).toBe('DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n');
    expect(stderr).toMatch(/^Not shown: Deployment cilium-operator: no .*\\nNot compared: nothing\n$/);
    expect(code).toBe(1);
  });

  test('where none may be read, that is the error', async () => {
    const { stdout, stderr, code } = await told(['--rollout'], { [`${APPS}/daemonsets/cilium`]: NO });
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('daemonsets/cilium');
  });

  test('taints that are not known are told, and are another exit code', async () => {
    const { stdout, stderr, code } = await told(['--rollout'], { ...SOUND, '/api/v1/nodes': NO });
    expect(stdout).toBe('DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n');
    expect(stderr).toBe('Whether taints are left is not known: no /api/v1/nodes\\nNot compared: nothing\n');
    expect(code).toBe(3);
  });

  test('pods that have ended or are being deleted do not count, and are named while it is not done', async () => {
    const gone = agent('cilium-0', 'n1', {}, { phase: 'Failed', reason: 'Evicted', containerStatuses: [] });
    const going = agent('cilium-3', 'n2', {
      deletionTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'k8s-app': 'cilium', [HASH]: 'a' },
    });
    const items = [gone, agent('cilium-1', 'n1'), agent('cilium-2', 'n2'), going];
    const done = await told(['--rollout'], { ...SOUND, [`${CORE}/pods`]: { items } });
    expect([done.stdout, done.code]).toEqual([
      'DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n',
      0,
    ]);
    const open = await told(['--rollout'], {
      ...SOUND,
      [`${CORE}/pods`]: { items: items.filter((one) => one.metadata.name !== 'cilium-2') },
    });
    expect([open.stdout, open.code]).toEqual([
      'DaemonSet cilium: 1 of 2 pods new and ready (cilium:v2)\n' +
        '  not counted: cilium-0 on n1: it has ended (Evicted)\n' +
        '  not counted: cilium-3 on n2: it is being deleted\n',
      1,
    ]);
  });

  test('of a pod that its init container holds up, the log of that container is read', async () => {
    const stuck = agent(
      'cilium-2',
      'n2',
      {},
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'config', state: { terminated: { exitCode: 0 } } },
          { name: 'mount-cgroup', state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
        containerStatuses: [
          { name: 'cilium-agent', ready: false, state: { waiting: { reason: 'PodInitializing' } } },
        ],
      },
    );
    const { stdout, asked } = await told(['--rollout'], {
      ...SOUND,
      [`${CORE}/pods`]: { items: [agent('cilium-1', 'n1'), stuck] },
      [`${CORE}/pods/cilium-2/log`]: 'mount failed',
    });
    expect(stdout).toContain(
      'Held up by cilium-2 on n2: the init container mount-cgroup has not ended (CrashLoopBackOff)\n',
    );
    expect(stdout).toContain('    the end of the log of mount-cgroup:\n');
    const logs = asked.filter((url) => url.includes('/log?'));
    expect(logs.length).toBeGreaterThan(0);
    expect(logs.every((url) => url.includes('container=mount-cgroup'))).toBe(true);
  });
});

describe('status --rollout --wait', () => {
  test('ends with what was seen last when the time is up', async () => {
    const { stdout, stderr, code } = await told(['--rollout', '--wait', '--wait-duration', '1s'], {
      ...SOUND,
      [`${CORE}/pods`]: { items: [agent('cilium-1', 'n1')] },
    });
    expect(stdout).toBe('DaemonSet cilium: 1 of 2 pods new and ready (cilium:v2)\n');
    expect(stderr).toContain('Error: the roll-out is not done after 1 s\n');
    expect(code).toBe(1);
  });

  test('looks again until it is done', async () => {
    let looks = 0;
    const answers = {
      ...SOUND,
      get [`${CORE}/pods`]() {
        looks += 1;
        return { items: [agent('cilium-1', 'n1'), ...(looks > 6 ? [agent('cilium-2', 'n2')] : [])] };
      },
    };
    const { stdout, stderr, code } = await told(['--rollout', '--wait'], answers);
    expect([stdout, stderr, code]).toEqual([
      'DaemonSet cilium: 2 of 2 pods new and ready (cilium:v2)\n',
      '',
      0,
    ]);
    expect(looks).toBeGreaterThan(6);
  });
});

describe('status --consistency of a cluster that is not seen as a whole', () => {
  const KINDS = '/apis/cilium.io/v2';
  const agreed: Answers = {
    ...SOUND,
    [`${CORE}/pods`]: { items: [] },
    '/api/v1/pods': { items: [] },
    [`${KINDS}/ciliumendpoints`]: { items: [] },
    [`${KINDS}/ciliumidentities`]: { items: [] },
    [`${KINDS}/ciliumnodes`]: { items: [{ metadata: { name: 'n1' } }, { metadata: { name: 'n2' } }] },
  };

  test('a node without an agent is not compared', async () => {
    const { stdout, stderr, code } = await told(['--consistency'], agreed);
    expect(stdout).toMatch(/\nWhat could be compared agrees\.\n$/);
    expect(stderr).toBe(
      ['n1', 'n2']
        .map((node) => `Not compared: the agent of node ${node}: no agent of Cilium runs there\n`)
        .join(''),
    );
    expect(code).toBe(3);
  });

  test('where nodes may not be listed, the pods tell of them; each gap is one line', async () => {
    const web = { namespace: 'shop', name: 'web' };
    const { stderr, code } = await told(['--consistency'], {
      ...agreed,
      '/api/v1/nodes': NO,
      '/api/v1/pods': {
        items: [{ metadata: web, spec: { nodeName: 'n7' }, status: { phase: 'Pending' } }],
      },
    });
    expect(stderr).toBe(
      'Not compared: nodes: no /api/v1/nodes\\nNot compared: nothing\n' +
        'Not compared: the agent of node n7: no agent of Cilium runs there\n',
    );
    expect(code).toBe(3);
  });

  test('a pod that is about to end has its endpoint or not', async () => {
    const pod = (name: string, phase: string, more: object = {}) => ({
      metadata: { namespace: 'shop', name, ...more },
      spec: { nodeName: 'n1' },
      status: { phase },
    });
    const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const items = [
      pod('runs', 'Running'),
      pod('ends', 'Running', going),
      pod('is-over', 'Succeeded', going),
      pod('ended', 'Succeeded'),
    ];
    await using server = await serveKube((_, response) => answerJson(response, { items }));
    await using client = await kubeClient(server);
    expect((await listPodFacts(client)).map(({ name, runs }) => [name, runs])).toEqual([
      ['shop/runs', true],
      ['shop/ends', false],
      ['shop/is-over', false],
    ]);
  });

  test('at a terminal the line about the second look goes away', async () => {
    const { stderr } = await told(
      ['--consistency'],
      { ...agreed, [`${KINDS}/ciliumnodes`]: { items: [] } },
      { columns: 80 },
    );
    expect(stderr).toContain('for a moment.\r\u001b[KNot compared: ');
  });
});
