import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Verb } from '../src/cli/tree.ts';
import { TREE } from '../src/commands/index.ts';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';

const folder = mkdtempSync(join(tmpdir(), 'verbs-'));
const POLICY = join(folder, 'policy.yaml');
const FLOWS = join(folder, 'flows.json');
const TESTS = join(folder, 'tests.yaml');
writeFileSync(
  POLICY,
  '{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: default}, spec: {endpointSelector: {}, ingress: [{}]}}',
);
writeFileSync(FLOWS, '{"flow":{"verdict":"FORWARDED"}}\n');
writeFileSync(TESTS, 'tests:\n- {from: app=a, to: app=b, port: 80, expect: allow}\n');

/** Verbs that read what leads to the API server, and do not ask it. */
const ASKS_NOBODY = ['context', 'profile explain'];
const OF_CLUSTER = ['--state', 'cluster'];
/** Verbs below `hubble` that are cilium-cli's. */
const OF_CILIUM = new Set(['port-forward', 'enable', 'disable', 'ui']);
/** How each verb is run that asks the API server. */
const ARGV: Readonly<Record<string, string[]>> = {
  status: [],
  logs: ['--tail', '1'],
  sysdump: ['--estimate'],
  'config view': [],
  'connectivity test': ['--deploy-timeout', '2s'],
  'connectivity check': ['default/a', 'default/b', '--port', '80'],
  'connectivity perf': ['--deploy-timeout', '2s'],
  'config set': ['a', 'b'],
  'config delete': ['a'],
  'config drift': [],
  'config lint': ['--live'],
  'encrypt status': [],
  'encrypt create-key': ['--dry-run'],
  'encrypt rotate-key': [],
  'encrypt key-status': [],
  'encryption status': [],
  'encryption create-key': ['--dry-run'],
  'encryption rotate-key': [],
  'encryption key-status': [],
  'clustermesh status': [],
  'clustermesh enable': ['--service-type', 'NodePort'],
  'clustermesh disable': [],
  'clustermesh connect': ['--destination-context', 'k'],
  'clustermesh disconnect': ['--destination-context', 'k'],
  'clustermesh inspect-policy-default-local-cluster': ['-A'],
  'endpoint list': ['-A'],
  'node list': ['--cluster'],
  'identity list': ['--cluster'],
  'lrp list': ['-A'],
  'l2-announcement list': [],
  'egress-gateway list': [],
  'egress-gateway status': [],
  'lb-ip-pool list': [],
  version: [],
  'features status': [],
  'multicast list group': [],
  'multicast list subscriber': ['--all'],
  'multicast add': ['-g', '239.255.0.1'],
  'multicast delete': ['-g', '239.255.0.1'],
  'bgp peers': [],
  'bgp routes': [],
  'bgp config clusters': [],
  'bgp config nodes': [],
  'bgp config peers': [],
  'bgp config advertisements': [],
  'policy get': ['-A'],
  'preflight upgrade': ['--to', '1.20'],
  'policy delete': ['--cluster', 'cnp/web'],
  'policy validate': ['--live'],
  'policy simulate': [...OF_CLUSTER, '--from', 'app=a', '--to', 'app=b', '--port', '80'],
  'policy test': [...OF_CLUSTER, TESTS],
  'policy maps': OF_CLUSTER,
  'policy unused': OF_CLUSTER,
  'policy cost': OF_CLUSTER,
  'policy coverage': OF_CLUSTER,
  'policy why': [...OF_CLUSTER, '{"verdict":"FORWARDED"}'],
  'policy replay': [...OF_CLUSTER, '--flows', FLOWS, '--candidate', POLICY],
  'policy suggest': [...OF_CLUSTER, '--flows', FLOWS],
  'hubble port-forward': [],
  'hubble enable': [],
  'hubble disable': [],
  install: [],
  upgrade: [],
  uninstall: [],
  images: [],
};
/** The same verbs in other ways, and verbs that ask it beside an agent. */
const MORE: readonly string[][] = [
  ['status', '--rollout'],
  ['status', '--consistency'],
  ['status', '--rollout', '--watch'],
  ['endpoint', 'list', '--all-nodes'],
  ['endpoint', 'list', '--node', 'n1'],
  ['endpoint', 'list', '--pod', 'default/web'],
  ['bpf', 'ct', 'list', 'global', '--node', 'n1'],
  ['monitor', '--all-nodes'],
  ['policy', 'import', '--via', 'kubernetes', POLICY],
  ['hubble', 'observe', '-P', '--last', '1'],
  ['hubble', 'observe', '--node', 'n1', '--last', '1'],
  ['hubble', 'status', '--all-nodes'],
  ['hubble', 'map', '-P', '--last', '1'],
  ['hubble', 'ui', '--upstream', '--open-browser=false'],
  ['preflight', 'validate-cnp'],
  ['identity', 'list', '--unused'],
];

function* asking({ verbs = {} }: Verb, path: readonly string[] = []): Generator<string> {
  for (const [name, verb] of Object.entries(verbs)) {
    if (verb.asks) yield [...path, name].join(' ');
    yield* asking(verb, [...path, name]);
  }
}

const LINES = [...Object.entries(ARGV).map(([verb, flags]) => [...verb.split(' '), ...flags]), ...MORE];

let server: ApiServer;
const as = (user: string, argv: readonly string[], signal?: AbortSignal) =>
  run(argv, {
    env: { KUBECONFIG: server.kubeconfig(user), CILIUM_TARGET: 'cluster', XDG_STATE_HOME: folder },
    ...(signal && { signal }),
  });

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('each verb that asks the API server is run here', () => {
  expect(Object.keys(ARGV).toSorted()).toEqual(
    [...asking(TREE)].filter((verb) => !ASKS_NOBODY.includes(verb)).toSorted(),
  );
});

describe('each verb', () => {
  test.each(LINES.map((argv) => [argv]))('%j: a context that the kubeconfig does not have', async (argv) => {
    const flag = argv[0] === 'hubble' && !OF_CILIUM.has(argv[1] ?? '') ? '--kube-context' : '--context';
    const { stdout, stderr, code } = await as('admin', [...argv, flag, 'nowhere']);
    expect(stderr).toContain('the kubeconfig has no context "nowhere"');
    // As the reference, these two say first what they are about to do.
    expect([stdout.replace(/^✨ .*\n/, ''), code]).toEqual(['', 1]);
  });

  test.each(LINES.map((argv) => [argv]))('%j: a token that has expired', async (argv) => {
    const { stderr, code } = await as('expired', argv);
    expect(stderr).toContain('has a token or certificate of the kubeconfig expired?');
    expect(code).toBe(1);
  });

  test.each(LINES.map((argv) => [argv]))('%j: a user who may do nothing', async (argv) => {
    const { stderr, stdout, code } = await as('viewer', argv);
    expect(`${stderr}${stdout}`).toMatch(/User "viewer" cannot \w+ resource "[\w/]+" in API group "[\w.]*"/);
    expect(code).not.toBe(0);
    expect(stderr).not.toMatch(/fault in the toolkit|undefined|\[object/);
  });

  test.each(LINES.map((argv) => [argv]))('%j: a cluster without Cilium', async (argv) => {
    const stop = AbortSignal.timeout(60_000);
    const { stderr, code } = await as('admin', argv, stop);
    expect(stop.aborted).toBe(false);
    if (!/validate-cnp|create-key/.test(argv[1] ?? '')) expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/fault in the toolkit|undefined|\[object/);
    // Policies may be there without Cilium, and its key has to be.
    if (!/^(preflight|policy get|policy coverage|policy validate|encrypt\w* create-key)/.test(argv.join(' ')))
      expect(code).not.toBe(0);
  });
});

describe('with the definitions of Cilium', () => {
  const CNP = '/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies';
  beforeAll(async () => {
    for (const plural of ['ciliumnetworkpolicies', 'ciliumendpoints', 'ciliumidentities', 'ciliumnodes'])
      await addDefinition(server, plural);
  });
  const policy = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name: 'web', namespace: 'default', labels: { set: 'a' } },
    spec: { endpointSelector: {}, ingress: [{}] },
  };

  test('kinds are listed in the version that the cluster has', async () => {
    const names = { plural: 'ciliumloadbalancerippools', singular: 'pool', kind: 'CiliumLoadBalancerIPPool' };
    const made = await server.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'ciliumloadbalancerippools.cilium.io' },
      spec: {
        group: 'cilium.io',
        names,
        scope: 'Cluster',
        versions: [
          {
            name: 'v2alpha1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        ],
      },
    });
    expect(made.status).toBe(201);
    const pool = { apiVersion: 'cilium.io/v2alpha1', kind: names.kind, metadata: { name: 'old' } };
    const path = '/apis/cilium.io/v2alpha1/ciliumloadbalancerippools';
    for (let tries = 0; (await server.call('POST', path, pool)).status !== 201; tries++)
      expect(tries).toBeLessThan(500);
    expect((await as('admin', ['lb-ip-pool', 'list'])).stdout).toMatch(/^NAME +AGE\nold +\d/);
    const [one] = JSON.parse((await as('admin', ['lb-ip-pool', 'list', '-o', 'json'])).stdout).items;
    expect(one.apiVersion).toBe('cilium.io/v2alpha1');
  });

  test('a policy is shown, deleted as it was found, and brought back', async () => {
    expect((await server.call('POST', CNP, policy)).status).toBe(201);
    expect((await as('admin', ['policy', 'get', '-A', '-l', 'set=a', '-o', 'name'])).stdout).toBe(
      'ciliumnetworkpolicy.cilium.io/web\n',
    );
    const dry = await as('admin', ['policy', 'delete', '--cluster', 'cnp/web', '--dry-run']);
    expect([dry.stdout, dry.code]).toEqual(['CiliumNetworkPolicy default/web deleted (dry run)\n', 0]);
    expect((await server.call('GET', `${CNP}/web`)).status).toBe(200);
    const undo = join(folder, 'undo.json');
    const gone = await as('admin', ['policy', 'delete', '--cluster', 'cnp/web', '--undo-file', undo]);
    expect([gone.stdout, gone.code]).toEqual(['CiliumNetworkPolicy default/web deleted\n', 0]);
    expect((await server.call('GET', `${CNP}/web`)).status).toBe(404);
    expect((await as('admin', ['policy', 'import', '--via', 'kubernetes', undo])).code).toBe(0);
    const back = JSON.parse((await server.call('GET', `${CNP}/web`)).body);
    expect([back.spec, back.metadata.labels]).toEqual([policy.spec, policy.metadata.labels]);
  });

  test('who may read but not delete is told so, and the policy stays', async () => {
    const rules = [
      { apiGroups: ['cilium.io'], resources: ['ciliumnetworkpolicies'], verbs: ['list', 'get'] },
    ];
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await server.call('POST', `${rbac}/roles`, { metadata: { name: 'reads' }, rules });
    await server.call('POST', `${rbac}/rolebindings`, {
      metadata: { name: 'reads' },
      roleRef: { kind: 'Role', name: 'reads', apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ kind: 'User', name: 'viewer', apiGroup: 'rbac.authorization.k8s.io' }],
    });
    // In the namespace that may be read: names are looked up there alone.
    const { stdout, stderr, code } = await as('viewer', ['policy', 'delete', '--cluster', 'cnp/web']);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(
      'User "viewer" cannot delete resource "ciliumnetworkpolicies" in API group "cilium.io"',
    );
    expect((await server.call('GET', `${CNP}/web`)).status).toBe(200);
    const shown = await as('viewer', ['policy', 'get']);
    expect(shown.stdout).toContain('ciliumnetworkpolicy.cilium.io/web');
    expect(shown.stderr).toContain('User "viewer" cannot list resource "ciliumclusterwidenetworkpolicies"');
    expect(shown.code).toBe(1);
    expect((await as('viewer', ['policy', 'get', 'cnp/web'])).code).toBe(0);
  });

  test('a roll-out of a DaemonSet, wherever it is installed', async () => {
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'networking' } });
    const labels = { 'k8s-app': 'cilium' };
    const template = {
      metadata: { labels },
      spec: { containers: [{ name: 'cilium-agent', image: 'cilium:v2' }] },
    };
    const sets = '/apis/apps/v1/namespaces/networking';
    await server.call('POST', `${sets}/daemonsets`, {
      metadata: { name: 'cilium', labels },
      spec: { selector: { matchLabels: labels }, template },
    });
    await server.call(
      'PATCH',
      `${sets}/daemonsets/cilium/status`,
      {
        status: {
          desiredNumberScheduled: 2,
          currentNumberScheduled: 2,
          numberMisscheduled: 0,
          numberReady: 1,
          observedGeneration: 1,
        },
      },
      'application/merge-patch+json',
    );
    for (const [hash, revision] of [
      ['old', 1],
      ['new', 2],
    ] as const)
      await server.call('POST', `${sets}/controllerrevisions`, {
        metadata: {
          name: `cilium-${hash}`,
          labels: { ...labels, 'controller-revision-hash': hash },
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'cilium', uid: '1', controller: true },
          ],
        },
        revision,
        data: {},
      });
    for (const [name, hash, node] of [
      ['cilium-a', 'new', 'n1'],
      ['cilium-b', 'old', 'n2'],
    ] as const) {
      await server.call('POST', '/api/v1/nodes', { metadata: { name: node } });
      const pods = '/api/v1/namespaces/networking/pods';
      const made = await server.call('POST', pods, {
        metadata: { name, labels: { ...labels, 'controller-revision-hash': hash } },
        spec: { ...template.spec, nodeName: node },
      });
      expect(made.status).toBe(201);
      const state = hash === 'new' ? { waiting: { reason: 'ImagePullBackOff' } } : { running: {} };
      await server.call(
        'PATCH',
        `${pods}/${name}/status`,
        {
          status: {
            phase: 'Running',
            containerStatuses: [
              {
                name: 'cilium-agent',
                image: 'x',
                imageID: 'x',
                ready: hash === 'old',
                restartCount: 0,
                state,
              },
            ],
          },
        },
        'application/merge-patch+json',
      );
    }
    await server.call('POST', '/api/v1/namespaces/networking/events', {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'cilium-a', namespace: 'networking' },
      type: 'Warning',
      reason: 'Failed',
      message: 'pull access denied',
      lastTimestamp: '2026-01-01T00:00:00Z',
    });
    const { stdout, code } = await as('admin', ['status', '--rollout']);
    expect(stdout).toContain('DaemonSet cilium: 0 of 2 pods new and ready (cilium:v2)\n');
    expect(stdout).toMatch(/^ {2}n1 +cilium-a +cilium:v2 +new +\S+ +the container waits: ImagePullBackOff$/m);
    expect(stdout).toMatch(/^ {2}n2 +cilium-b +cilium:v2 +old +\S+ +ready$/m);
    expect(stdout).toContain('  Held up by cilium-a on n1: the container waits: ImagePullBackOff\n');
    expect(stdout).toMatch(/^ {4}event, \S+ ago: Failed: pull access denied$/m);
    expect(code).toBe(1);
  });

  test('what disagrees is found, and what cannot be asked is told', async () => {
    await server.call('POST', '/apis/cilium.io/v2/ciliumnodes', {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNode',
      metadata: { name: 'gone' },
      spec: { ipam: { podCIDRs: ['10.0.0.0/24'] } },
    });
    await server.call('POST', '/apis/cilium.io/v2/namespaces/default/ciliumendpoints', {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumEndpoint',
      metadata: { name: 'stale', namespace: 'default' },
      status: { id: 1, identity: { id: 4242 } },
    });
    const { stdout, stderr, code } = await as('admin', ['status', '--consistency']);
    expect(stdout).toMatch(/^endpoints +default\/stale +- +a CiliumEndpoint of a pod that is not there$/m);
    expect(stdout).toMatch(
      /^identities +4242 +- +there is no CiliumIdentity of it, and default\/stale has it$/m,
    );
    expect(stdout).toMatch(/^nodes +gone +gone +a CiliumNode of a node that is gone$/m);
    expect(stdout).toMatch(/^nodes +n1 +n1 +it has no CiliumNode$/m);
    expect(stderr).toContain('Not compared: the agent of node n1: the container waits: ImagePullBackOff\n');
    expect(stderr).toContain('Not compared: the configuration: configmaps "cilium-config" not found\n');
    expect(code).toBe(1);
  });
});
