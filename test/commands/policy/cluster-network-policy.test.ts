import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { replay } from '../../helpers/replay.ts';
import { run } from '../../helpers/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'tiers-'));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const POLICY = file(
  'kcnp.yaml',
  `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: guard}
spec:
  tier: Admin
  priority: 3
  subject: {namespaces: {}}
  ingress:
  - {action: Pass, from: [{pods: {podSelector: {matchLabels: {app: web}}}}]}
  - {action: Deny, from: [{namespaces: {}}]}
`,
);
const CLOSED = file(
  'closed.yaml',
  `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np, namespace: a}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}
`,
);

const pod = (id: number, app: string) => ({
  id,
  labels: [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=a', 'k8s:io.cilium.k8s.policy.cluster=lab'],
});
const LISTS = {
  identities: [pod(1001, 'web'), pod(1002, 'api'), pod(1003, 'job')],
  endpoints: [
    { id: 1, identity: 1001, pod: 'a/web' },
    { id: 2, identity: 1002, pod: 'a/api' },
    { id: 3, identity: 1003, pod: 'a/job' },
  ],
};
const STATE = file('state.json', JSON.stringify(LISTS));
const STATE_ON = file('on.json', JSON.stringify({ ...LISTS, clusterNetworkPolicy: true }));
const RULES = ['-r', POLICY, '-r', CLOSED];
const ON = ['--cluster-network-policy', 'on'];

// differs: policy-cluster-network-policy
describe('policy validate', () => {
  test('says that agents read it with an option only', async () => {
    const { code, stderr } = await run(['policy', 'validate', POLICY]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      'agents of 1.20 read a ClusterNetworkPolicy only with the option enable-k8s-cluster-network-policy',
    );
    expect(stderr).toContain('--cluster-network-policy on');
  });

  test('finds it valid where the option is on, for 1.20 alone', async () => {
    expect((await run(['policy', 'validate', POLICY, ...ON])).code).toBe(0);
    const older = await run(['policy', 'validate', POLICY, ...ON, '--target', '1.19']);
    expect(older.code).toBe(1);
    expect(older.stderr).toContain(
      'Cilium 1.19 does not read a ClusterNetworkPolicy: agents read it from 1.20 on',
    );
  });

  test('prints each rule with its place', async () => {
    const { stdout } = await run(['policy', 'validate', POLICY, ...ON, '--print']);
    const printed = JSON.parse(stdout.slice(stdout.indexOf('['))) as { order: object }[];
    expect(printed.map(({ order }) => order)).toEqual([
      { tier: 'Admin', priority: 3, pass: true },
      { tier: 'Admin', priority: 3.01 },
    ]);
  });
});

describe('policy import', () => {
  const agentOf = (version: string) =>
    replay([
      {
        request: { method: 'GET', path: '/v1/healthz' },
        response: {
          status: 200,
          contentType: 'application/json',
          body: JSON.stringify({ cilium: { state: 'Ok', msg: version } }),
        },
      },
    ]);

  test.each(['1.10.90', '1.17.3', '1.20.1'])('sends an agent of %s nothing', async (version) => {
    for (const flags of [[], ON]) {
      await using server = await agentOf(version);
      const { code, stderr } = await run(['policy', 'import', POLICY, ...flags], {
        env: { CILIUM_SOCK: server.socket },
      });
      expect(code).toBe(1);
      expect(stderr).toContain('ClusterNetworkPolicy');
      expect(server.seen.filter(({ method }) => method !== 'GET')).toEqual([]);
    }
  });
});

describe('the verbs that decide', () => {
  const simulate = async (from: string, ...more: string[]) => {
    const argv = [
      'policy',
      'simulate',
      ...RULES,
      '--from',
      from,
      '--to',
      'a/api',
      '--port',
      '80',
      '-o',
      'json',
    ];
    const { stdout } = await run([...argv, ...more]);
    return JSON.parse(stdout) as { verdict: string; ingress: { text: string } };
  };

  test.each<[string, string[], string, string]>([
    ['on', ['-s', STATE, ...ON], 'allowed', 'denied'],
    ['off', ['-s', STATE, '--cluster-network-policy', 'off'], 'allowed', 'denied'],
    ['on in the state', ['-s', STATE_ON], 'allowed', 'denied'],
    ['not known', ['-s', STATE], 'allowed', 'denied'],
  ])('simulate: %s', async (_, flags, web, job) => {
    expect((await simulate('a/web', ...flags)).verdict).toBe(web);
    expect((await simulate('a/job', ...flags)).verdict).toBe(job);
  });

  test('what rests on the option is unknown without it', async () => {
    const to = ['--from', 'a/web', '--to', 'a/job', '--port', '80'];
    const text = async (...more: string[]) =>
      (await run(['policy', 'simulate', '-r', POLICY, '-s', STATE, ...to, ...more])).stdout;
    expect(await text(...ON)).toContain('Verdict:  allowed');
    const job = ['--from', 'a/job', '--to', 'a/web', '--port', '80'];
    const back = async (...more: string[]) =>
      (await run(['policy', 'simulate', '-r', POLICY, '-s', STATE, ...job, ...more])).stdout;
    expect(await back(...ON)).toContain('Verdict:  denied');
    expect(await back('--cluster-network-policy', 'off')).toContain('Verdict:  allowed');
    expect(await back()).toContain('Verdict:  unknown');
  });

  test('test expects verdicts with the tiers', async () => {
    const tests = (expect: string) =>
      file(
        'tests.yaml',
        `rules: [kcnp.yaml]\nstate: state.json\ntests:\n  - {from: a/job, to: a/web, port: 80, expect: ${expect}}\n`,
      );
    expect((await run(['policy', 'test', tests('deny'), ...ON])).code).toBe(0);
    expect((await run(['policy', 'test', tests('unknown')])).code).toBe(0);
    expect((await run(['policy', 'test', tests('allow')])).code).toBe(1);
  });

  test('an agent before 1.20 does not read it, which is an error', async () => {
    const { code, stderr } = await run([
      ...['policy', 'simulate', '-r', POLICY, '-s', STATE, '--release', '1.18'],
      ...['--from', 'a/job', '--to', 'a/web', '--port', '80'],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('Cilium 1.18 does not read a ClusterNetworkPolicy');
  });

  test('replay gates on what may be newly denied', async () => {
    const flow = JSON.stringify({
      flow: {
        verdict: 'FORWARDED',
        IP: { source: '10.0.0.1', destination: '10.0.0.2' },
        l4: { TCP: { source_port: 40_000, destination_port: 80, flags: { SYN: true } } },
        source: { identity: 1003, labels: pod(1003, 'job').labels },
        destination: { identity: 1001, labels: pod(1001, 'web').labels },
        traffic_direction: 'INGRESS',
        is_reply: false,
      },
    });
    const argv = [
      'policy',
      'replay',
      '-c',
      POLICY,
      '-f',
      file('flows.jsonl', flow),
      '--fail-on',
      'newly-denied',
    ];
    const on = await run([...argv, ...ON]);
    expect(on.stdout).toContain('Newly denied: 1 flows');
    expect(on.code).toBe(1);
    const open = await run(argv);
    expect(open.stdout).toContain('1 (100.0 %) not decided');
    expect(open.code).toBe(1);
    expect((await run([...argv, '--cluster-network-policy', 'off'])).code).toBe(0);
  });

  test.each(['maps', 'cost', 'unused'])('%s needs to know the option', async (verb) => {
    const argv = ['policy', verb, ...RULES, '-s', STATE];
    const { code, stderr } = await run(argv);
    expect(code).toBe(1);
    expect(stderr).toContain('the maps rest on ClusterNetworkPolicy guard');
    expect(stderr).toContain('--cluster-network-policy on or off');
    expect((await run([...argv, ...ON])).code).toBe(0);
    const off = await run([...argv, '--cluster-network-policy', 'off']);
    expect(off.code).toBe(0);
    expect(off.stderr).toContain('the agents do not read a ClusterNetworkPolicy');
    expect(off.stdout).not.toContain('ClusterNetworkPolicy');
  });

  test('unused keeps a rule that passed a flow on', async () => {
    const flow = (id: number, app: string) =>
      JSON.stringify({
        flow: {
          verdict: 'FORWARDED',
          IP: { source: '10.0.0.1', destination: '10.0.0.2' },
          l4: { TCP: { source_port: 40_000, destination_port: 80, flags: { SYN: true } } },
          source: { identity: id, labels: pod(id, app).labels },
          destination: { identity: 1002, labels: pod(1002, 'api').labels },
          traffic_direction: 'INGRESS',
          is_reply: false,
        },
      });
    const argv = ['policy', 'unused', ...RULES, '-s', STATE, ...ON, '-o', 'json'];
    const parts = async (text: string) => {
      const { stdout } = await run([...argv, '-f', file('unused.jsonl', text)]);
      return (JSON.parse(stdout) as { rule: { name: string; part: string } }[]).map(
        ({ rule }) => `${rule.name} ${rule.part}`,
      );
    };
    expect(await parts(flow(1001, 'web'))).toEqual(['guard ingress[1]']);
    expect(await parts(flow(1003, 'job'))).toEqual(['guard ingress[0]', 'np ']);
  });
});

describe('entries that an agent of 1.20 lists', () => {
  const entry = (
    tier: number,
    priority: number,
    verdict: number,
    from: string | undefined,
    more: object = {},
  ) => ({
    Tier: tier,
    Priority: priority,
    Authentication: null,
    Log: {},
    Subject: { matchLabels: { 'k8s.app': 'api' } },
    L3: [from === undefined ? {} : { matchLabels: { 'k8s.app': from } }],
    L4: [],
    Labels: [{ key: 'io.cilium.k8s.policy.name', value: `t${tier}`, source: 'k8s' }],
    DefaultDeny: false,
    Verdict: verdict,
    Ingress: true,
    Node: false,
    ...more,
  });
  const verdicts = async (...entries: object[]) => {
    const state = file(
      'agent.json',
      JSON.stringify({ ...LISTS, policy: { policy: JSON.stringify(entries) } }),
    );
    const found: string[] = [];
    for (const from of ['a/web', 'a/job']) {
      const argv = [
        'policy',
        'simulate',
        '-s',
        state,
        '--from',
        from,
        '--to',
        'a/api',
        '--port',
        '80',
        '-o',
        'json',
      ];
      found.push((JSON.parse((await run(argv)).stdout) as { verdict: string }).verdict);
    }
    return found;
  };

  test('keep their tier, their priority and a pass', async () => {
    const normal = entry(200, 0, 0, 'web', { DefaultDeny: true });
    expect(await verdicts(normal)).toEqual(['allowed', 'denied']);
    expect(await verdicts(normal, entry(100, 5, 1, 'web'))).toEqual(['denied', 'denied']);
    expect(await verdicts(normal, entry(100, 5, 1, 'web'), entry(100, 4, 2, 'web'))).toEqual([
      'allowed',
      'denied',
    ]);
    expect(await verdicts(normal, entry(100, 5, 0, undefined))).toEqual(['allowed', 'allowed']);
    expect(await verdicts(normal, entry(250, 0, 1, undefined))).toEqual(['allowed', 'denied']);
    expect(await verdicts(normal, entry(250, 0, 0, 'job'))).toEqual(['allowed', 'allowed']);
    // The agent lists them, so it reads them: nothing else has to be known.
    expect(await verdicts(entry(250, 1, 2, 'web'), entry(250, 2, 1, undefined))).toEqual([
      'allowed',
      'denied',
    ]);
  });

  test('of 1.19 are all of network policies', async () => {
    expect(await verdicts(entry(0, 0, 0, 'web', { DefaultDeny: true }), entry(0, 0, 1, 'web'))).toEqual([
      'denied',
      'denied',
    ]);
  });
});
