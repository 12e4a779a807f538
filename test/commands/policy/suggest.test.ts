import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { run } from '../../helpers/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'suggest-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Client {
  labels: string[];
  pod?: string;
  workload?: { name: string; kind: string };
  account?: string;
  ip?: string;
}

/** A client opens a connection to the database of another namespace. */
function flow({ labels, pod = 'client', workload, account = 'default', ip = '10.8.14.10' }: Client) {
  const meta = (namespace: string, name: string) => [
    `k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=${namespace}`,
    'k8s:io.cilium.k8s.policy.cluster=default',
    `k8s:io.cilium.k8s.policy.serviceaccount=${name}`,
    `k8s:io.kubernetes.pod.namespace=${namespace}`,
  ];
  return {
    flow: {
      time: '2026-06-10T03:15:00Z',
      verdict: 'FORWARDED',
      IP: { source: ip, destination: '10.8.1.2', ipVersion: 'IPv4' },
      l4: { TCP: { source_port: 43_006, destination_port: 5432, flags: { SYN: true } } },
      source: {
        namespace: 'jobs',
        labels: [...meta('jobs', account), ...labels.map((label) => `k8s:${label}`)],
        pod_name: pod,
        ...(workload && { workloads: [workload] }),
      },
      destination: {
        namespace: 'data',
        labels: [...meta('data', 'default'), 'k8s:app=db'],
        pod_name: 'db-0',
      },
      Type: 'L3_L4',
      traffic_direction: 'INGRESS',
      trace_observation_point: 'TO_ENDPOINT',
      is_reply: false,
    },
  };
}

function write(name: string, flows: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, flows.map((each) => `${JSON.stringify(each)}\n`).join(''));
  return path;
}

const suggest = (flows: readonly unknown[], ...more: string[]) =>
  run(['policy', 'suggest', '--flows', write('seen.jsonl', flows), ...more]);

interface Policy {
  metadata: { name: string; namespace: string };
  spec: { endpointSelector: { matchLabels: Record<string, string> } };
}

const documents = (text: string) => text.split('---\n').map((each) => parse(each) as Policy);

/** Two runs that were seen, the next one, and what stays of their labels. */
const WORKLOADS: { what: string; runs: Client[]; stays: Record<string, string>; says: string[] }[] = [
  {
    what: 'a CronJob',
    runs: ['28555395', '28555411', '28555427'].map((n) => ({
      labels: ['app=hello', `batch.kubernetes.io/job-name=hello-${n}`, `job-name=hello-${n}`],
      workload: { name: 'hello', kind: 'CronJob' },
    })),
    stays: { app: 'hello' },
    says: ['batch.kubernetes.io/job-name', 'job-name'],
  },
  {
    what: 'a Job of an agent before 1.16, without the name of its workload',
    runs: ['1b2c', '9f0e', '77aa'].map((n) => ({
      labels: [
        'app=hello',
        `controller-uid=5e1cf1b8-0a0c-4a1e-8f2b-1d6f7c1e${n}`,
        `batch.kubernetes.io/controller-uid=5e1cf1b8-0a0c-4a1e-8f2b-1d6f7c1e${n}`,
        `job-name=hello-${n}`,
        'batch.kubernetes.io/job-completion-index=0',
      ],
    })),
    stays: { app: 'hello' },
    says: [
      'batch.kubernetes.io/controller-uid',
      'batch.kubernetes.io/job-completion-index',
      'controller-uid',
      'job-name',
    ],
  },
  {
    what: 'a StatefulSet',
    runs: [0, 1, 2].map((n) => ({
      labels: [
        'app.kubernetes.io/name=mq',
        'app.kubernetes.io/component=broker',
        'controller-revision-hash=mq-6c9f',
        `statefulset.kubernetes.io/pod-name=mq-${n}`,
        `apps.kubernetes.io/pod-index=${n}`,
      ],
      pod: `mq-${n}`,
    })),
    stays: { 'app.kubernetes.io/name': 'mq', 'app.kubernetes.io/component': 'broker' },
    says: ['apps.kubernetes.io/pod-index', 'controller-revision-hash', 'statefulset.kubernetes.io/pod-name'],
  },
  {
    what: 'a DaemonSet',
    runs: [1, 2, 3].map((n) => ({
      labels: ['k8s-app=shipper', `controller-revision-hash=7d4b9${n}`, `pod-template-generation=${n}`],
    })),
    stays: { 'k8s-app': 'shipper' },
    says: ['controller-revision-hash', 'pod-template-generation'],
  },
  {
    what: 'a Deployment and a Rollout',
    runs: ['5d4f8', '7c6bb', '9aa01'].map((hash) => ({
      labels: ['app=web', 'team=shop', `pod-template-hash=${hash}`, `rollouts-pod-template-hash=${hash}`],
    })),
    stays: { app: 'web', team: 'shop' },
    says: ['pod-template-hash', 'rollouts-pod-template-hash'],
  },
  {
    what: 'an Argo workflow',
    runs: ['x7k2p', 'b9d4q', 'm2w8z'].map((end) => ({
      labels: [
        'component=etl',
        `workflows.argoproj.io/workflow=nightly-${end}`,
        'workflows.argoproj.io/completed=false',
      ],
      workload: { name: `nightly-${end}`, kind: 'Workflow' },
    })),
    stays: { component: 'etl' },
    says: ['workflows.argoproj.io/completed', 'workflows.argoproj.io/workflow'],
  },
  {
    what: 'a workload with a label of its own that differs from run to run',
    runs: ['red', 'green', 'blue'].map((colour) => ({
      labels: ['app=batch', `acme.io/batch=${colour}`],
      workload: { name: 'batch', kind: 'CronJob' },
    })),
    stays: { app: 'batch' },
    says: ['acme.io/batch'],
  },
  {
    what: 'a workload whose name label carries the run',
    runs: ['28555395', '28555411', '28555427'].map((n) => ({
      labels: [`app=hello-${n}`, 'tier=jobs', `job-name=hello-${n}`],
    })),
    stays: { tier: 'jobs' },
    says: ['app', 'job-name'],
  },
  {
    what: 'pods whose only lasting mark is an account of their own',
    runs: ['a', 'b', 'c'].map((n) => ({ labels: [`job-name=backup-${n}`], account: 'backup' })),
    stays: { 'io.cilium.k8s.policy.serviceaccount': 'backup' },
    says: ['job-name'],
  },
];

describe('policy suggest selects by labels that stay', () => {
  test.each(WORKLOADS)('of $what', async ({ runs, stays, says }) => {
    const [first, second, next] = runs as [Client, Client, Client];
    const { stdout, stderr, code } = await suggest([flow(first), flow(second)]);
    expect(code).toBe(0);
    const policies = documents(stdout);
    expect(policies.map(({ metadata }) => metadata.namespace)).toEqual(['data', 'jobs']);
    expect(policies[1]?.spec.endpointSelector.matchLabels).toEqual(stays);
    expect(stderr).toContain(`left out labels that change from run to run: ${says.join(', ')}.\n`);
    expect(stderr).toContain('0 newly denied');

    const path = join(folder, 'suggested.yaml');
    writeFileSync(path, stdout);
    const flows = write('next.jsonl', [flow(next)]);
    const replayed = await run(['policy', 'replay', '-c', path, '-f', flows, '--fail-on', 'newly-denied']);
    expect([replayed.code, replayed.stdout]).toEqual([0, expect.stringContaining('Newly denied: none')]);
    expect(replayed.stdout).toContain('1 allowed, 0 denied, 0 (0.0 %) not decided');
  });

  test('keeps labels that only look alike', async () => {
    const labels = ['app=web', 'hash-algo=sha', 'job=clean', 'tier=back', 'uid-map=on'];
    const { stdout, stderr } = await suggest([flow({ labels })]);
    expect(documents(stdout)[1]?.spec.endpointSelector.matchLabels).toEqual(
      Object.fromEntries(labels.map((label) => label.split('='))),
    );
    expect(stderr).not.toContain('left out');
  });

  test('keeps two workloads apart that share their app', async () => {
    const workload = (name: string) => ({ name, kind: 'Deployment' });
    const { stdout } = await suggest([
      flow({ labels: ['app=shop', 'role=a'], workload: workload('a') }),
      flow({ labels: ['app=shop', 'role=b'], workload: workload('b') }),
    ]);
    expect(documents(stdout).map(({ metadata }) => metadata.name)).toEqual([
      'allow-seen-app-db',
      'allow-seen-app-shop-role-a',
      'allow-seen-app-shop-role-b',
    ]);
  });

  test.each([
    {
      when: 'pods have no other',
      labels: ['job-name=hello-1'],
      why: 'only labels that change from run to run (job-name=hello-1)',
    },
    { when: 'a bare pod has none', labels: [], why: 'no labels of its own' },
  ])('and pins no run where $when: a warning instead', async ({ labels, why }) => {
    const { stdout, stderr, code } = await suggest([flow({ labels, pod: 'hello-1-abcde' })]);
    expect(code).toBe(0);
    expect(documents(stdout).map(({ metadata }) => metadata.name)).toEqual(['allow-seen-app-db']);
    const sentence = `No policy for pod jobs/hello-1-abcde: it has ${why} and the service account "default", which other pods share.`;
    expect(stdout).toContain(`# ${sentence}`);
    expect(stdout).toContain(
      '# ingress has peers by service account or namespace only, which is wider than what was seen',
    );
    expect(stderr).toContain(`Warning: ${sentence}`);
    expect(stdout.replace(/^#.*$/gm, '')).not.toContain('hello-1');
  });

  test('fails with that reason when nothing else is left', async () => {
    const { stdout, stderr, code } = await suggest([flow({ labels: ['job-name=x-1'] })], '-n', 'jobs');
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('No policy for pod jobs/client: it has only labels that change from run to run');
  });
});

describe('policy suggest says what a policy opens and pins', () => {
  const outside = (ip: string) => {
    const one = flow({ labels: ['app=db'], ip });
    return { flow: { ...one.flow, source: { identity: 2, labels: ['reserved:world'] } } };
  };

  test('how many flows an address stands for', async () => {
    const { stdout, stderr } = await suggest([outside('198.51.100.7')]);
    expect(stdout).toMatch(
      /^# ingress names 1 address outside the cluster, as seen in 1 flow \(198\.51\.100\.7\/32: 1 flow\)\. Another address is denied/,
    );
    expect(stderr).toContain('Note: data/allow-seen-app-db: ingress names 1 address outside the cluster');
  });

  test('how many more addresses there are', async () => {
    const ips = [1, 2, 3, 4, 5].map((n) => `198.51.100.${n}`);
    const { stdout } = await suggest([...ips, '198.51.100.1'].map(outside));
    expect(stdout).toContain('# ingress names 5 addresses outside the cluster, as seen in 6 flows (');
    expect(stdout).toContain(
      '198.51.100.1/32: 2 flows; 198.51.100.2/32: 1 flow; 198.51.100.3/32: 1 flow, and 2 more)',
    );
  });

  test('that a direction stays closed, and that JSON says it on stderr', async () => {
    const one = flow({ labels: ['app=cut'] });
    const cut = { flow: { ...one.flow, verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' } };
    const { stdout } = await suggest([cut]);
    expect(stdout).toContain(
      '# egress: [{}] opens nothing: only denied traffic was seen, and the direction stays closed.',
    );
    const json = await suggest([cut], '-o', 'json');
    expect(JSON.parse(json.stdout)).toHaveLength(2);
    expect(json.stderr).toContain('jobs/allow-seen-app-cut: egress: [{}] opens nothing');
  });

  test('without control bytes from hostile names', async () => {
    const evil = 'a\u001b[2J\u009b\u202eb\r\nspec: {}';
    const flows = [
      flow({ labels: [`app=${evil}`, `${evil}=x`] }),
      flow({ labels: [`job-name=${evil}`], pod: evil }),
    ];
    for (const format of ['yaml', 'json']) {
      const { stdout, stderr } = await suggest(flows, '-o', format);
      expect(`${stdout}${stderr}`).not.toMatch(
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
      );
      expect(stdout).not.toMatch(/^spec: \{\}/m);
      const read = format === 'json' ? (JSON.parse(stdout) as Policy[]) : documents(stdout);
      expect(read[1]?.spec.endpointSelector.matchLabels).toMatchObject({ app: evil, [evil]: 'x' });
    }
  });
});

// From the port of the service to one that the client has been given: no rule is to name the second.
test.each([
  { how: 'says that it is one', reply: { is_reply: true }, flags: { ACK: true } },
  { how: 'accepts a connection', reply: {}, flags: { SYN: true, ACK: true } },
  { how: 'has a port of clients and one of services', reply: {}, flags: { ACK: true } },
])('makes no rule of the port that a reply goes to, which $how', async ({ reply, flags }) => {
  const one = flow({ labels: ['app=web'] }).flow;
  const replies = [51_000, 51_001, 51_002].map((port) => {
    const { is_reply: _, source, destination, IP, ...rest } = one;
    return {
      flow: {
        ...rest,
        ...reply,
        source: destination,
        destination: source,
        IP: { ...IP, source: IP.destination, destination: IP.source },
        l4: { TCP: { source_port: 5432, destination_port: port, flags } },
      },
    };
  });
  const { stdout } = await suggest(replies);
  expect([...stdout.matchAll(/port: "?(\d+)/g)].map(([, port]) => port)).toEqual(['5432', '5432']);
  expect(stdout).toContain('name: allow-seen-app-web');
});
