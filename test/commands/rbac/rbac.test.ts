import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Verb } from '../../../src/cli/tree.ts';
import { TREE } from '../../../src/commands/index.ts';
import { NEEDS } from '../../../src/commands/rbac/needs.ts';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { type Access, type Gate, startGate } from '../../helpers/rbac-gate.ts';
import { allowedBy, covers, type PrintedRole, type Right, rightsIn } from '../../helpers/roles.ts';
import { run } from '../../helpers/run.ts';
import { until } from '../../helpers/until.ts';

function* asking({ verbs = {} }: Verb, path: readonly string[] = []): Generator<string> {
  for (const [name, verb] of Object.entries(verbs)) {
    if (verb.asks) yield [...path, name].join(' ');
    yield* asking(verb, [...path, name]);
  }
}

test('each verb that asks the API server says what it needs', () => {
  expect([...asking(TREE)].filter((verb) => !Object.hasOwn(NEEDS, verb))).toEqual([]);
});

const folder = mkdtempSync(join(tmpdir(), 'rbac-'));
const POLICY = join(folder, 'policy.yaml');
const FLOWS = join(folder, 'flows.json');
const TESTS = join(folder, 'tests.yaml');
writeFileSync(
  POLICY,
  ['a', 'b']
    .map(
      (name) =>
        `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: ${name}, namespace: default}, spec: {endpointSelector: {}, ingress: [{}]}}`,
    )
    .join('\n---\n'),
);
writeFileSync(FLOWS, '{"flow":{"verdict":"FORWARDED"}}\n');
writeFileSync(TESTS, 'tests:\n- {from: app=a, to: app=b, port: 80, expect: allow}\n');
const OF_CLUSTER = ['--state', 'cluster'];

/** How a row is run where the words of its verb alone are not enough. */
const ARGV: Readonly<Record<string, readonly string[]>> = {
  'bgp peers': ['--cluster'],
  'clustermesh connect': ['--destination-context', 'lab'],
  'clustermesh disconnect': ['--destination-context', 'lab'],
  'clustermesh enable': ['--service-type', 'NodePort'],
  'config set': ['debug', 'true'],
  'config set --restart': ['rolling', 'debug', 'false'],
  'config delete': ['debug'],
  'config lint': ['--live'],
  'connectivity check': ['{pod}', 'kube-system/hubble-relay'],
  'connectivity test --all': ['--deploy-timeout', '60s'],
  'encrypt rotate-key': ['--force'],
  'encryption rotate-key': ['--force'],
  'endpoint list': ['-A'],
  'hubble observe --port-forward': ['--last', '1'],
  logs: ['--tail', '1'],
  'lrp list': ['-A'],
  sysdump: ['--quick', '--skip', 'agents,gops,cni', '--output-filename', join(folder, 'dump-<ts>')],
  'multicast list subscriber': ['--all'],
  'multicast add': ['-g', '239.255.0.1'],
  'multicast delete': ['-g', '239.255.0.1'],
  'policy delete': ['--cluster', 'cnp/a'],
  'hubble disable': ['--dry-run'],
  'hubble enable': ['--dry-run'],
  install: ['--version', '1.20.0', '--dry-run'],
  uninstall: ['--dry-run'],
  upgrade: ['--version', '1.20.0', '--dry-run'],
  'preflight upgrade': ['--to', '1.20'],
  'policy get': ['-A'],
  'policy import --via': ['kubernetes', POLICY],
  'policy maps': OF_CLUSTER,
  'policy cost': OF_CLUSTER,
  'policy coverage': OF_CLUSTER,
  'policy unused': OF_CLUSTER,
  'policy simulate': [...OF_CLUSTER, '--from', 'app=a', '--to', 'app=b', '--port', '80'],
  'policy test': [...OF_CLUSTER, TESTS],
  'policy why': [...OF_CLUSTER, '{"verdict":"FORWARDED"}'],
  'policy replay': [...OF_CLUSTER, '--flows', FLOWS, '--candidate', POLICY],
  'policy suggest': [...OF_CLUSTER, '--flows', FLOWS],
  'policy validate': ['--live'],
};
/** The pods of this lab only seem to run: the tests end when the first command is to be run in one. */
const PLAYED = 'no policy is applied, and no failure explained';
/** These go on until they are stopped. */
const ENDLESS = new Set(['hubble port-forward', 'logs --follow']);

/** Rights that no run here asks for, and why they are needed. */
const NO_UI = 'the lab has no Hubble UI';
const UNUSED: readonly { of: RegExp; right: Partial<Right>; why: string }[] = [
  { of: /^sysdump/, right: {}, why: 'it is run with --quick, and the lab has not all that it asks for' },
  { of: /^hubble observe/, right: { resource: 'secrets' }, why: 'the relay of the lab speaks without TLS' },
  { of: /^hubble ui/, right: { resource: 'pods/portforward' }, why: NO_UI },
  { of: /^hubble ui/, right: { resource: 'pods' }, why: NO_UI },
  { of: /^install/, right: { resource: 'secrets' }, why: 'without --dry-run: whether the name is free' },
  { of: /^hubble port-forward/, right: { resource: 'pods/portforward' }, why: 'nobody connects' },
  {
    of: /^(policy delete|policy import)/,
    right: { resource: 'ciliumclusterwidenetworkpolicies' },
    why: 'another kind',
  },
  { of: /^(policy delete|policy import)/, right: { resource: 'networkpolicies' }, why: 'another kind' },
  ...['cilium.io', 'networking.k8s.io', 'discovery.k8s.io', 'policy.networking.k8s.io'].map((group) => ({
    of: /^connectivity test/,
    right: { group },
    why: PLAYED,
  })),
  { of: /^connectivity test/, right: { resource: 'namespaces' }, why: PLAYED },
  { of: /^connectivity test/, right: { resource: 'pods/exec', namespace: 'kube-system' }, why: PLAYED },
  {
    of: /^connectivity (test|perf)/,
    right: { verb: 'create' },
    why: 'what a PATCH that creates is asked for beside',
  },
  { of: /^connectivity perf/, right: { resource: 'services' }, why: 'it makes none' },
  ...['nodes', 'ciliumnodes', 'daemonsets', 'services', 'deployments', 'secrets'].map((resource) => ({
    of: /^clustermesh (connect|status)/,
    right: { resource },
    why: 'the lab has no server of a mesh',
  })),
  ...['daemonsets', 'deployments', 'cronjobs'].map((resource) => ({
    of: /^images/,
    right: { resource },
    why: 'where no release of Helm is',
  })),
  { of: /^clustermesh enable/, right: { resource: 'nodes' }, why: 'without --service-type' },
  { of: /^encrypt(ion)? status/, right: { resource: 'configmaps' }, why: 'of nodes that encrypt with IPsec' },
  ...['ciliumbgppeeringpolicies', 'ciliumexternalworkloads'].map((resource) => ({
    of: /^preflight upgrade/,
    right: { resource },
    why: 'the lab has no such kind',
  })),
  { of: /^policy import/, right: { verb: 'create' }, why: 'what a PATCH that creates is asked for beside' },
  { of: /^policy import/, right: { verb: 'get' }, why: 'with --diff and --wait' },
];

/** That the namespace of Cilium is looked for is no part of what is needed, and a refusal is no failure. */
const isSearch = ({ resource, verb, namespace }: Access) =>
  resource === 'daemonsets' && verb === 'list' && namespace === '';

let cluster: TestCluster;
let gate: Gate;
/** One that the lab begins with. */
let pod: string;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 2 });
  gate = await startGate(cluster.kubeconfig);
  env.KUBECONFIG = cluster.kubeconfig;
  const { json } = await cluster.call('GET', '/api/v1/pods');
  const { items } = json as { items: { metadata: { namespace: string; name: string } }[] };
  const found = items.find(({ metadata: { namespace } }) => namespace !== 'kube-system')?.metadata;
  pod = `${found?.namespace}/${found?.name}`;
});
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function rolesOf(row: string): Promise<PrintedRole[]> {
  const { stdout, code } = await run(['rbac', '-o', 'json', ...row.split(' ')]);
  expect(code).toBe(0);
  return stdout === '' ? [] : JSON.parse(stdout).items;
}

/** Runs a row as somebody who has only what is allowed. */
async function as(row: string, allows: Gate['allows'], roles: readonly PrintedRole[]) {
  Object.assign(gate, { allows, asked: [], denied: [] });
  const argv = [...row.split(' '), ...(ARGV[row] ?? [])].map((word) => (word === '{pod}' ? pod : word));
  const stop = new AbortController();
  const env = { KUBECONFIG: gate.kubeconfig, CILIUM_NAMESPACE: 'kube-system', XDG_STATE_HOME: folder };
  if (!ENDLESS.has(row)) return await cluster.run(argv, { env });
  const running = cluster.run(argv, { env, signal: stop.signal });
  // Until all was asked for that is needed, and a while longer: what is refused then is a right that lacks.
  await until(async () => (await needless(row, roles)).length === 0).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 700));
  stop.abort();
  return await running;
}

/** Rights of a row that the run has not asked for so far, and that no other reason is known for. */
async function needless(row: string, roles: readonly PrintedRole[]): Promise<Right[]> {
  const own = await rolesOf(row.replace(/ --.*/, '')).catch(() => []);
  const beside = row.includes(' --') ? rightsIn(own).map((right) => JSON.stringify(right)) : [];
  return rightsIn(roles)
    .filter((right) => !beside.includes(JSON.stringify(right)))
    .filter((right) => !gate.asked.some((access) => covers(right, access)))
    .filter(
      (right) =>
        !UNUSED.some(
          ({ of, right: part }) =>
            of.test(row) && Object.entries(part).every(([key, value]) => right[key as keyof Right] === value),
        ),
    );
}

const ROWS = Object.keys(NEEDS).filter((row) => (NEEDS[row]?.needs.length ?? 0) > 0);

const env = { KUBECONFIG: '', CILIUM_NAMESPACE: 'kube-system', XDG_STATE_HOME: folder };
describe('each verb, with just the roles that are printed for it', () => {
  test.each(ROWS)('%s', async (row) => {
    if (row.endsWith('create-key'))
      await cluster.call('DELETE', '/api/v1/namespaces/kube-system/secrets/cilium-ipsec-keys');
    if (row === 'policy delete')
      expect((await run([...'policy import --via kubernetes'.split(' '), POLICY], { env })).code).toBe(0);
    const roles = await rolesOf(row);
    const result = await as(row, allowedBy(roles), roles);
    expect(gate.denied.filter((access) => !isSearch(access))).toEqual([]);
    expect(`${result.stderr}${result.stdout}`).not.toContain('cannot');
    expect(await needless(row, roles)).toEqual([]);
  });
});

// Each of these is asked a few times only, so that every right can be taken away.
test.each([
  'bgp peers',
  'config delete',
  'config view',
  'encrypt key-status',
  'endpoint list',
  'identity list --unused',
  'logs',
  'node list',
  'policy get',
  'preflight validate-cnp',
  'version',
])('without any one of its rights %s says what is missing', async (row) => {
  const roles = await rolesOf(row);
  for (const right of rightsIn(roles)) {
    const allows = allowedBy(roles);
    const result = await as(row, (access) => allows(access) && !covers(right, access), roles);
    expect([right, result.code]).not.toEqual([right, 0]);
    expect(`${result.stderr}${result.stdout}`).toContain(`cannot ${right.verb} resource "${right.resource}"`);
  }
});

describe('rbac', () => {
  test('prints a role for the cluster and one for each namespace that suffices, and gives them away', async () => {
    const words = ['policy', 'get', '--objects', 'shop', '--user', 'alice', '--serviceaccount', 'ci:checks'];
    const { stdout, stderr, code } = await run(['rbac', ...words]);
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(
      /^# What "cilium policy get" needs\.\napiVersion: rbac\.authorization\.k8s\.io\/v1\nkind: ClusterRole\n/,
    );
    const { items } = JSON.parse((await run(['rbac', ...words, '-o', 'json'])).stdout);
    expect(items.map(({ kind, metadata }: PrintedRole) => [kind, metadata.namespace])).toEqual([
      ['ClusterRole', undefined],
      ['Role', 'shop'],
      ['ClusterRoleBinding', undefined],
      ['RoleBinding', 'shop'],
    ]);
    expect(items[3].subjects).toEqual([
      { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' },
      { kind: 'ServiceAccount', name: 'checks', namespace: 'ci' },
    ]);
  });

  test('of a flag that needs more, of a node and of the relay', async () => {
    const resourcesOf = async (...words: string[]) =>
      rightsIn(JSON.parse((await run(['rbac', '-o', 'json', ...words])).stdout).items).map(
        ({ resource, verb, namespace }) => `${verb} ${resource} ${namespace ?? '*'}`,
      );
    expect(await resourcesOf('status', '--rollout')).toContain('list nodes *');
    expect(await resourcesOf('config', 'set', 'debug', 'true', '--restart')).toEqual(
      await resourcesOf('config', 'set', '--restart=rolling'),
    );
    expect(await resourcesOf('status')).not.toContain('list nodes *');
    expect(await resourcesOf('monitor', '--all-nodes')).toEqual([
      'list nodes *',
      'list pods kube-system',
      'create pods/exec kube-system',
      'get pods/exec kube-system',
    ]);
    expect(await resourcesOf('hubble', 'observe', '-P')).toContain('create pods/portforward kube-system');
    expect(await resourcesOf('config', 'view', '-n', 'net')).toEqual(['get configmaps net']);
  });

  test.each([
    [[], 'rbac needs a verb'],
    [['stats'], 'there is no verb "stats"\nDid you mean "status"?'],
    [['cleanup'], 'cleanup does not ask the API server of a cluster'],
    [['bgp'], '"bgp" is no verb by itself'],
    [['--nonsense', 'status'], 'rbac has no flag --nonsense'],
    [['status', '--nonsense'], 'cilium status has no flag --nonsense\nIts flags: cilium status --help.'],
    [['status', '--rolout'], 'cilium status has no flag --rolout\nDid you mean --rollout?'],
    [['node', 'list', '-Z', '--all-nodes'], 'cilium node list has no flag -Z'],
    [['policy', 'get', '--brief', '--all-nodes'], 'cilium policy get has no flag --brief'],
    [['config', 'set', '--nonsense', '--restart'], 'cilium config set has no flag --nonsense'],
    [['config', 'set', '--restart', 'never'], "argument 'never' is invalid. Allowed choices are"],
    [['endpoint', 'list', '--concurrency', 'many'], 'invalid argument "many" for "--concurrency" flag'],
    [['status', '--serviceaccount', 'a'], '--serviceaccount a: expected NAMESPACE:NAME'],
  ])('%j', async (words, message) => {
    const { stdout, stderr, code } = await run(['rbac', ...words]);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('lists what there is', async () => {
    const { stdout } = await run(['rbac', '--list']);
    expect(stdout).toMatch(/^VERB +NAMESPACES +RUNS IN PODS +WRITES OBJECTS\n/);
    expect(stdout).toMatch(/^bgp peers +cilium +yes +no$/m);
    expect(stdout).toMatch(/^config set +cilium +no +yes$/m);
  });
});
