import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'siblings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: default}, spec: ${spec}}`;
const POLICIES = {
  'deny all': cnp('{endpointSelector: {}, ingress: [{}]}'),
  'deny api': cnp('{endpointSelector: {matchLabels: {app: api}}, ingress: [{}]}'),
  'allow web': cnp('{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]}'),
  'allow namespace': cnp('{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}'),
  'egress to the world': cnp('{endpointSelector: {}, egress: [{toEntities: [world]}]}'),
  network:
    '{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: default}, spec: {podSelector: {}, policyTypes: [Ingress]}}',
};

const labels = (app: string) => ({ labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=default'] });
const WEB = { namespace: 'default', pod_name: 'web-0' };
const API = { namespace: 'default', pod_name: 'api-0' };

/** A connection from web to api, as an exporter with a field mask writes it. */
function flow(source: object, destination: object, more: object = {}): object {
  return {
    flow: {
      time: '2026-09-12T12:50:15Z',
      verdict: 'FORWARDED',
      IP: { source: '10.8.0.9', destination: '10.8.1.2', ipVersion: 'IPv4' },
      l4: { TCP: { source_port: 43_006, destination_port: 80, flags: { SYN: true } } },
      source,
      destination,
      is_reply: false,
      ...more,
    },
  };
}

interface Report {
  allowed: number;
  denied: number;
  changes: { change: string }[];
}

async function replayed(policy: string, one: object, failOn: string) {
  writeFileSync(join(folder, 'p.yaml'), policy);
  writeFileSync(join(folder, 'f.jsonl'), `${JSON.stringify(one)}\n`);
  const argv = ['policy', 'replay', '-c', 'p.yaml', '-f', 'f.jsonl', '--fail-on', failOn, '-o', 'json'];
  const { stdout, code } = await run(argv, { cwd: folder });
  const { allowed, denied } = JSON.parse(stdout) as Report;
  return [allowed ? 'allowed' : denied ? 'denied' : 'unknown', code];
}

describe('flows that carry little', () => {
  const FLOWS = {
    'names of pods': flow(WEB, API),
    'labels of the source': flow({ ...WEB, ...labels('web') }, API),
    'labels of the destination': flow(WEB, { ...API, ...labels('api') }),
    'lists of labels that are empty': flow({ ...WEB, labels: [] }, { ...API, labels: [] }),
    namespaces: flow({ namespace: 'default' }, { namespace: 'default' }),
    'another namespace': flow(WEB, { ...API, namespace: 'other' }),
    workloads: flow(
      { namespace: 'default', workloads: [{ name: 'web', kind: 'Deployment' }] },
      { namespace: 'default', workloads: [{ name: 'api', kind: 'Deployment' }] },
    ),
    identities: flow({ identity: 4000 }, { identity: 107_099 }),
    'numbers of endpoints': flow({ ID: 40 }, { ID: 77 }, { traffic_direction: 'INGRESS' }),
    'the number of the world': flow({ identity: 2 }, API),
    'no addresses': flow(WEB, API, { IP: undefined }),
    'no direction of the connection': flow(WEB, API, { is_reply: undefined }),
    'no ports': flow(WEB, API, { l4: undefined }),
  };
  type Name = keyof typeof FLOWS;
  const DECIDED: readonly (readonly [Name, keyof typeof POLICIES, 'allowed' | 'denied'])[] = [
    ...(
      ['names of pods', 'labels of the source', 'labels of the destination', 'namespaces'] as const
    ).flatMap((name) => [
      [name, 'deny all', 'denied'] as const,
      [name, 'network', 'denied'] as const,
      [name, 'allow namespace', 'allowed'] as const,
      [name, 'egress to the world', 'denied'] as const,
    ]),
    ['lists of labels that are empty', 'deny all', 'denied'],
    ['workloads', 'deny all', 'denied'],
    ['no addresses', 'deny all', 'denied'],
    ['no direction of the connection', 'deny all', 'denied'],
    ['labels of the source', 'allow web', 'allowed'],
    ['labels of the destination', 'deny api', 'denied'],
    ['the number of the world', 'allow namespace', 'denied'],
    ['the number of the world', 'allow web', 'denied'],
    ['another namespace', 'deny all', 'allowed'],
    ['another namespace', 'deny api', 'allowed'],
  ];
  test.each(DECIDED)('%s, %s: %s', async (name, policy, verdict) => {
    expect(await replayed(POLICIES[policy], FLOWS[name], 'newly-denied')).toEqual([
      verdict,
      verdict === 'denied' ? 1 : 0,
    ]);
  });

  const OPEN: readonly (readonly [Name, keyof typeof POLICIES])[] = [
    ['names of pods', 'deny api'],
    ['names of pods', 'allow web'],
    ['labels of the source', 'deny api'],
    ['labels of the destination', 'allow web'],
    ['namespaces', 'deny api'],
    ['workloads', 'deny api'],
    ['identities', 'deny all'],
    ['identities', 'allow namespace'],
    ['numbers of endpoints', 'deny all'],
    ['numbers of endpoints', 'egress to the world'],
    ['the number of the world', 'deny api'],
    ['no ports', 'deny all'],
  ];
  test.each(OPEN)('%s, %s: a gate fails, for it is not decided', async (name, policy) => {
    expect(await replayed(POLICIES[policy], FLOWS[name], 'newly-denied')).toEqual(['unknown', 1]);
  });

  test('an end that may be anyone is not called no endpoint', async () => {
    writeFileSync(join(folder, 'p.yaml'), POLICIES['deny all']);
    const argv = ['policy', 'why', '-r', 'p.yaml', JSON.stringify(FLOWS['numbers of endpoints'])];
    const { stdout } = await run(argv, { cwd: folder });
    expect(stdout).not.toContain('not an endpoint');
    expect(stdout).toContain(
      'Ingress:  unknown  cannot be decided: the flow does not say whose address this is',
    );
  });
});

describe('flows that do not show what policy did', () => {
  const of = (more: object) => flow({ ...WEB, ...labels('web') }, { ...API, ...labels('api') }, more);
  test.each([
    // [what the flow says, newly denied by what denies, newly allowed by what allows]
    ['no verdict', { verdict: undefined }, 1, 1],
    ['an unknown verdict', { verdict: 'VERDICT_UNKNOWN' }, 1, 1],
    ['a verdict that is newer than this program', { verdict: 'DELAYED' }, 1, 1],
    ['no verdict, before policy', { verdict: undefined, trace_observation_point: 'FROM_ENDPOINT' }, 0, 0],
    ['a drop without a reason', { verdict: 'DROPPED' }, 0, 1],
    ['a drop for an unknown reason', { verdict: 'DROPPED', drop_reason_desc: 'DROP_REASON_UNKNOWN' }, 0, 1],
    ['a drop by policy', { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }, 0, 1],
    ['the same in numbers', { verdict: 2, drop_reason_desc: 133 }, 0, 1],
    ['the number of the reason alone', { verdict: 'DROPPED', drop_reason: 133 }, 0, 1],
    ['the reason in the event', { verdict: 'DROPPED', event_type: { type: 1, sub_type: 133 } }, 0, 1],
    ['a drop of a verdict event', { verdict: 'DROPPED', event_type: { type: 5 } }, 0, 1],
    ['another reason in the event', { verdict: 'DROPPED', event_type: { type: 1, sub_type: 130 } }, 0, 0],
    ['another reason', { verdict: 'DROPPED', drop_reason_desc: 'INVALID_SOURCE_MAC' }, 0, 0],
    ['an error', { verdict: 'ERROR' }, 0, 0],
    ['that it passed', { verdict: 'FORWARDED' }, 1, 0],
  ] as const)('%s', async (_, more, denied, allowed) => {
    const one = of(more);
    const exits = [
      await replayed(POLICIES['deny all'], one, 'newly-denied'),
      await replayed(POLICIES['allow web'], one, 'newly-allowed'),
    ];
    expect(exits).toEqual([
      ['denied', denied],
      ['allowed', allowed],
    ]);
    expect(await replayed(POLICIES['deny all'], one, 'newly-allowed')).toEqual(['denied', 0]);
    expect(await replayed(POLICIES['allow web'], one, 'newly-denied')).toEqual(['allowed', 0]);
  });

  test('are said not to be compared, and suggest says what it leaves out', async () => {
    writeFileSync(join(folder, 'p.yaml'), POLICIES['deny all']);
    writeFileSync(join(folder, 'f.jsonl'), `${JSON.stringify(of({ verdict: undefined }))}\n`);
    const replay = await run(['policy', 'replay', '-c', 'p.yaml', '-f', 'f.jsonl'], { cwd: folder });
    expect(replay.stdout).toContain(
      '  1 not compared: no verdict that is known, or a drop without a reason\n',
    );
    const suggest = await run(['policy', 'suggest', '-f', 'f.jsonl'], { cwd: folder });
    expect([suggest.stdout, suggest.code]).toEqual(['', 1]);
    expect(suggest.stderr).toContain('Some flows are left out: they have no verdict.');
  });

  test('why takes the number of the reason for its name', async () => {
    writeFileSync(join(folder, 'p.yaml'), POLICIES['deny all']);
    writeFileSync(
      join(folder, 'f.jsonl'),
      `${JSON.stringify(of({ verdict: 'DROPPED', drop_reason: 133 }))}\n`,
    );
    const argv = ['policy', 'why', '-r', 'p.yaml', '-f', 'f.jsonl', '--last-drop'];
    expect((await run(argv, { cwd: folder })).stdout).toContain('Agree:    yes');
  });
});

describe('what is suggested today allows the next run', () => {
  /** A pod in run `n`, which connects to the database. */
  const pod = (own: readonly string[], n: number, workload?: readonly [string, string]) => ({
    namespace: 'jobs',
    pod_name: `pod-${n}`,
    labels: [
      'k8s:io.cilium.k8s.policy.serviceaccount=default',
      'k8s:io.kubernetes.pod.namespace=jobs',
      ...own.map((label) => `k8s:${label.replaceAll('<n>', String(n))}`),
    ],
    ...(workload && { workloads: [{ name: workload[0], kind: workload[1] }] }),
  });
  test.each<[string, readonly string[], (readonly [string, string])?]>([
    [
      'a Job',
      ['app=a', 'job-name=mig-<n>', 'batch.kubernetes.io/job-name=mig-<n>', 'controller-uid=0d1f<n>a'],
    ],
    ['a CronJob', ['app=a', 'job-name=a-2855539<n>'], ['a', 'CronJob']],
    ['an indexed Job', ['app=a', 'batch.kubernetes.io/job-completion-index=<n>'], ['a', 'Job']],
    [
      'a StatefulSet',
      ['app=a', 'statefulset.kubernetes.io/pod-name=pod-<n>', 'apps.kubernetes.io/pod-index=<n>'],
    ],
    ['a Deployment', ['app=a', 'pod-template-hash=5d<n>f99']],
    ['a ReplicaSet', ['app=a', 'pod-template-hash=5d<n>f99'], ['a-5d9', 'ReplicaSet']],
    ['a DaemonSet', ['k8s-app=a', 'controller-revision-hash=7<n>bb', 'pod-template-generation=<n>']],
    ['a Rollout', ['app=a', 'rollouts-pod-template-hash=6b<n>d']],
    [
      'a Workflow',
      ['app=a', 'workflows.argoproj.io/workflow=wf-<n>xk2z', 'workflows.argoproj.io/completed=false'],
    ],
    ['a TaskRun', ['tekton.dev/task=build', 'tekton.dev/taskRun=build-<n>', 'tekton.dev/taskRunUID=0d1f<n>']],
    ['Spark', ['spark-role=executor', 'spark-app-selector=spark-<n>e8f7', 'spark-exec-id=<n>']],
    [
      'Airflow',
      ['dag_id=etl', 'task_id=load', 'run_id=scheduled-<n>', 'try_number=<n>', 'airflow-worker=<n>'],
    ],
    ['a runner of GitLab', ['app=a', 'pod=pod-<n>', 'job.runner.gitlab.com/pod=pod-<n>']],
    ['Knative', ['serving.knative.dev/service=fn', 'serving.knative.dev/revision=fn-0000<n>']],
    [
      'a release of Helm',
      ['app=a', 'helm.sh/chart=a-1.2.<n>', 'app.kubernetes.io/version=1.2.<n>'],
      ['a', 'Deployment'],
    ],
  ])('%s', async (...[, own, workload]) => {
    const seen = [1, 2].map((n) => flow(pod(own, n, workload), { ...API, ...labels('db') }));
    const next = flow(pod(own, 3, workload), { ...API, ...labels('db') });
    writeFileSync(join(folder, 'seen.jsonl'), seen.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const { stdout, stderr, code } = await run(['policy', 'suggest', '-f', 'seen.jsonl'], { cwd: folder });
    expect([stdout.match(/^kind:/gm)?.length, code]).toEqual([2, 0]);
    expect(stderr).toContain('left out labels that change from run to run');
    expect(await replayed(stdout, next, 'newly-denied')).toEqual(['allowed', 0]);
    // Another workload of the namespace stays out.
    const other = flow(pod(['app=b'], 1), { ...API, ...labels('db') });
    expect(await replayed(stdout, other, 'newly-denied')).toEqual(['denied', 1]);
  });
});
