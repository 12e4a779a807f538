import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { answerJson, serveKube } from '../../helpers/kube.ts';
import { run } from '../../helpers/run.ts';

const POLICIES = [
  {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'api', namespace: 'default' },
    spec: {
      endpointSelector: { matchLabels: { app: 'api' } },
      ingress: [
        {
          fromEndpoints: [{ matchLabels: { app: 'frontend' } }],
          toPorts: [{ ports: [{ port: 'http', protocol: 'TCP' }] }],
        },
      ],
    },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'no-egress', namespace: 'default' },
    spec: { podSelector: { matchLabels: { app: 'producer' } }, policyTypes: ['Egress'], egress: [] },
  },
];

describe('--state cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cluster-state-'));
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 2 });
    const file = join(folder, 'policies.yaml');
    writeFileSync(file, POLICIES.map((one) => JSON.stringify(one)).join('\n---\n'));
    const { stdout, code } = await cluster.run(['policy', 'import', '--via', 'kubernetes', file]);
    expect([stdout, code]).toEqual([
      'CiliumNetworkPolicy default/api applied\nNetworkPolicy default/no-egress applied\n',
      0,
    ]);
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const pods = ['api-5c6', 'frontend-7d9', 'web-app', 'producer-1', 'myapp-2'].map(
    (name) => `default/${name}`,
  );
  test.each(pods)('decides from %s as an agent does', async (from) => {
    for (const to of pods.filter((one) => one !== from)) {
      const flags = ['--from', from, '--to', to, '--port', '8080/TCP'];
      const verdict = async (state: string, env: Record<string, string>) => {
        const { stdout } = await cluster.run(['policy', 'simulate', '--state', state, ...flags], { env });
        return stdout.split('\n').find((line) => line.startsWith('Verdict:'));
      };
      const here = await verdict('cluster', {});
      expect(here).toBe(await verdict('agent', { CILIUM_SOCK: cluster.lab.info.sockets.agent }));
      // The scenario's own policies let web-app reach names only.
      const isMute = from.includes('producer') || from.includes('web-app');
      const isAllowed = (from.includes('frontend') || !to.includes('api-')) && !isMute;
      expect(here).toBe(`Verdict:  ${isAllowed ? 'allowed' : 'denied'}`);
    }
  });

  test('an option that nodes override is not known', async () => {
    const path = '/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs';
    const object = { metadata: { name: 'n' }, spec: { defaults: { 'policy-cidr-match-mode': 'nodes' } } };
    const rule = join(folder, 'cidr.yaml');
    writeFileSync(
      rule,
      JSON.stringify({
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'cidr', namespace: 'default' },
        spec: { endpointSelector: {}, egress: [{ toCIDR: ['192.168.50.0/24'] }] },
      }),
    );
    const ask = () =>
      cluster.run([
        ...['policy', 'simulate', '--state', 'cluster', '--rules', rule, '--from', 'default/myapp-1'],
        ...['--to', 'remote-node', '--port', '80/TCP'],
      ]);
    expect((await ask()).stdout).toContain('Verdict:  denied');
    await cluster.call('POST', path, object, 'application/json');
    expect((await ask()).stdout).toContain('Verdict:  unknown');
  });

  test('whether agents of 1.19 take a block for the pods of its namespace is as their option says', async () => {
    const rules = join(folder, 'block.yaml');
    const spec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }] }] };
    const metadata = { name: 'block', namespace: 'default' };
    const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
    writeFileSync(rules, JSON.stringify(object));
    const ask = async (state: string) => {
      const { stdout } = await cluster.run([
        ...['policy', 'simulate', '--state', state, '--rules', rules, '--release', '1.19'],
        ...['--from', 'default/frontend-7d9', '--to', 'default/myapp-1', '--port', '80/TCP'],
      ]);
      return /Verdict: +(\w+)/.exec(stdout)?.[1];
    };
    const configMap = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    const set = (value: string | null) =>
      cluster.call('PATCH', configMap, { data: { 'policy-default-local-cluster': value } });
    expect(await ask('cluster')).toBe('allowed');
    await set('false');
    expect(await ask('cluster')).toBe('denied');
    await set(null);
    const labels = (app: string) => [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=default'];
    const state = {
      identities: [
        { id: 1000, labels: labels('frontend') },
        { id: 1001, labels: labels('myapp') },
      ],
      endpoints: [
        { id: 1, identity: 1000, pod: 'default/frontend-7d9' },
        { id: 2, identity: 1001, pod: 'default/myapp-1' },
      ],
    };
    const file = join(folder, 'blocks.json');
    for (const [known, verdict] of [
      [undefined, 'unknown'],
      [true, 'allowed'],
      [false, 'denied'],
    ] as const) {
      writeFileSync(file, JSON.stringify({ ...state, defaultLocalCluster: known }));
      expect(await ask(file)).toBe(verdict);
    }
  });

  test('says which rules have no effect', async () => {
    const { stdout, code } = await cluster.run(['policy', 'unused', '--state', 'cluster']);
    // The policy of this test allows the same as one of the scenario.
    const [, ...lines] = stdout.split('\n').filter((line) => line !== '');
    expect(lines).toEqual([expect.stringMatching(/^covered +CiliumClusterwideNetworkPolicy api-policy /)]);
    expect(code).toBe(0);
  });

  test('says which pods no policy protects', async () => {
    const ask = (...flags: string[]) => cluster.run(['policy', 'coverage', '--state', 'cluster', ...flags]);
    const { stdout, code } = await ask();
    expect(code).toBe(0);
    expect(stdout).toBe(`NAMESPACE     PODS   INGRESS   EGRESS
default       7      1/7       2/7
kube-system   1      0/1       0/1
monitoring    1      0/1       0/1

NAMESPACE     POD            INGRESS    EGRESS
default       api-5c6        enforced   open
default       frontend-7d9   open       open
default       kafka-0        open       open
default       myapp-1        open       open
default       myapp-2        open       open
default       producer-1     open       enforced
default       web-app        open       enforced
kube-system   coredns-1      open       open
monitoring    prom-0         open       open
`);
    expect((await ask('--require', 'ingress')).code).toBe(1);
    const always = ['--rules', join(folder, 'policies.yaml'), '-o', 'json'];
    const [first] = JSON.parse((await ask(...always)).stdout);
    expect(first).toEqual({ namespace: 'default', pod: 'api-5c6', ingress: 'enforced', egress: 'open' });
  });

  test('a policy that is no longer among its set is pruned, and comes back from the record', async () => {
    const labelled = POLICIES.map((one) => ({ ...one, metadata: { ...one.metadata, labels: { set: 'a' } } }));
    const [whole, part, undo] = ['whole.yaml', 'part.yaml', 'undo.json'].map((name) => join(folder, name));
    writeFileSync(whole ?? '', labelled.map((one) => JSON.stringify(one)).join('\n---\n'));
    writeFileSync(part ?? '', JSON.stringify(labelled[0]));
    const apply = (file = '', ...flags: string[]) =>
      cluster.run(['policy', 'import', '--via', 'kubernetes', file, ...flags]);
    await apply(whole);
    const dry = await apply(part, '--prune', 'set=a', '--dry-run');
    expect(dry.stdout).toContain('NetworkPolicy default/no-egress pruned (dry run)\n');
    const real = await apply(part, '--prune', 'set=a', '--undo-file', undo ?? '');
    expect([real.stdout, real.code]).toEqual([
      'CiliumNetworkPolicy default/api unchanged\nNetworkPolicy default/no-egress pruned\n',
      0,
    ]);
    expect((await apply(part, '--prune', 'set=a')).stdout).toBe(
      'CiliumNetworkPolicy default/api unchanged\n',
    );
    expect((await apply(undo)).stdout).toBe('NetworkPolicy default/no-egress applied\n');
    expect((await apply(part, '--prune', ' ')).stderr).toContain('--prune needs labels');
    const agent = await cluster.run(['policy', 'import', part ?? '', '--prune', 'set=a']);
    expect(agent.stderr).toContain('--prune needs --via kubernetes');
  });

  test('policies of a kind that agents do not read do not count', async () => {
    const verdict = async () => {
      const flags = ['--from', 'default/producer-1', '--to', 'default/myapp-1', '--port', '80/TCP'];
      const { stdout, stderr } = await cluster.run(['policy', 'simulate', '--state', 'cluster', ...flags]);
      return /Verdict: +(\w+)/.exec(stdout)?.[1] ?? stderr;
    };
    const configMap = '/api/v1/namespaces/kube-system/configmaps/cilium-config';
    expect(await verdict()).toBe('denied');
    await cluster.call('PATCH', configMap, { data: { 'enable-k8s-networkpolicy': 'false' } });
    expect(await verdict()).toBe('allowed');
    const object = { metadata: { name: 'knp' }, spec: { defaults: { 'enable-k8s-networkpolicy': 'true' } } };
    const path = '/apis/cilium.io/v2/namespaces/kube-system/ciliumnodeconfigs';
    await cluster.call('POST', path, object, 'application/json');
    expect(await verdict()).toContain('whether agents read NetworkPolicy is not the same on all nodes');
    await cluster.call('DELETE', `${path}/knp`);
    await cluster.call('PATCH', configMap, { data: { 'enable-k8s-networkpolicy': null } });
  });

  test('without identities nothing is told', async () => {
    await using other = await startTestCluster({ nodes: 1 });
    await other.call('DELETE', '/apis/cilium.io/v2/ciliumidentities');
    const { stdout, stderr, code } = await other.run(['policy', 'unused', '--state', 'cluster']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('the cluster has no CiliumIdentities');
  });

  test('flags of a cluster need it, and the cluster of a profile does not', async () => {
    const home = mkdtempSync(join(tmpdir(), 'state-'));
    const env = { HOME: home };
    await run(['profile', 'set', 'prod', 'context=prod'], { env });
    await run(['profile', 'use', 'prod'], { env });
    const words = ['--rules', '-', '--from', 'a=b', '--to', 'world', '--port', '80'];
    const ofProfile = await run(['policy', 'simulate', ...words], { env, stdin: '[]' });
    rmSync(home, { recursive: true });
    expect(ofProfile.stderr).not.toContain('flags of a cluster');
    expect(ofProfile.code).toBe(0);
    const { stderr, code } = await cluster.run(['policy', 'unused', '--context', 'lab', '--rules', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('the flags of a cluster need --state cluster');
  });
});

describe('a policy that agents refuse', () => {
  const labels = { 'io.kubernetes.pod.namespace': 'default' };
  const pod = {
    metadata: { name: 'web', namespace: 'default', uid: 'u', labels: {} },
    spec: { nodeName: 'n', containers: [] },
    status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
  };
  const policies = (spec: object) => [
    {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'p', namespace: 'default' },
      specs: [spec, { endpointSelector: {}, egress: [{}] }],
    },
  ];
  const lists: Record<string, unknown[]> = {
    '/api/v1/namespaces': [{ metadata: { name: 'default', labels: {} } }],
    '/api/v1/pods': [pod],
    '/apis/cilium.io/v2/ciliumidentities': [{ metadata: { name: '5000' }, 'security-labels': labels }],
  };

  async function coverage(spec: object) {
    await using server = await serveKube(({ url = '' }, response) => {
      const { pathname } = new URL(url, 'http://x');
      if (pathname.endsWith('/configmaps/cilium-config')) {
        answerJson(response, { metadata: { name: 'cilium-config' }, data: {} });
        return;
      }
      const isPolicy = pathname.endsWith('/ciliumnetworkpolicies');
      answerJson(response, { metadata: {}, items: isPolicy ? policies(spec) : (lists[pathname] ?? []) });
    });
    return await run(
      [...['policy', 'coverage', '--state', 'cluster', '-n', 'kube-system'], '--require', 'ingress'],
      { env: { KUBECONFIG: server.kubeconfig } },
    );
  }

  // The API server takes each of these.
  test.each([
    {
      why: 'Combining FromEndpoints and FromEntities is not supported yet',
      spec: { endpointSelector: {}, ingress: [{ fromEndpoints: [{}], fromEntities: ['world'] }] },
    },
    { why: 'rule must have at least one of Ingress', spec: { endpointSelector: {}, ingress: [] } },
    {
      why: 'unable to parse CIDR',
      spec: { endpointSelector: {}, ingress: [{ fromCIDR: ['10.0.0.0/33'] }] },
    },
  ])('counts as none, with all of its specs: $why', async ({ why, spec }) => {
    const { stdout, stderr, code } = await coverage(spec);
    expect(stderr).toContain('CiliumNetworkPolicy default/p: agents refuse it (');
    expect(stderr).toContain(why);
    expect(stdout).toMatch(/^default +1 +0\/1 +0\/1$/m);
    expect(code).toBe(1);
  });

  test('one that they take counts', async () => {
    const { stdout, stderr, code } = await coverage({ endpointSelector: {}, ingress: [{}] });
    expect(stderr).not.toContain('refuse');
    expect(stdout).toMatch(/^default +1 +1\/1 +1\/1$/m);
    expect(code).toBe(0);
  });
});
