import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestCluster, type TestCluster } from '../helpers/cluster.ts';

describe('lists of the objects of a cluster', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 2 });
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  test('endpoints of all namespaces, and of one', async () => {
    const all = await cluster.run(['endpoint', 'list', '-A']);
    expect(all.stdout.split('\n').slice(0, 2)).toEqual([
      'NAMESPACE     NAME           SECURITY IDENTITY   ENDPOINT STATE   IPV4            IPV6',
      'default       api-5c6        75536               ready            10.11.7.179     fd00:11::19b5',
    ]);
    const one = await cluster.run(['endpoint', 'list', '-n', 'kube-system']);
    expect(one.stdout).toBe(
      `NAME        SECURITY IDENTITY   ENDPOINT STATE   IPV4           IPV6
coredns-1   115559              ready            10.11.236.47   fd00:11::f4fa
`,
    );
    const wide = await cluster.run(['endpoint', 'list', '-A', '-o', 'wide']);
    expect(wide.stdout).toContain('INGRESS ENFORCEMENT   EGRESS ENFORCEMENT');
  });

  test('as names, in own columns, as JSON', async () => {
    const names = await cluster.run(['endpoint', 'list', '-n', 'kube-system', '-o', 'name']);
    expect(names.stdout).toBe('ciliumendpoint.cilium.io/coredns-1\n');
    const columns = 'custom-columns=NAME:.metadata.name,ID:{.status.identity.id},NO:status.none';
    const own = await cluster.run(['endpoint', 'list', '-n', 'kube-system', '-o', columns]);
    expect(own.stdout).toBe('NAME        ID       NO\ncoredns-1   115559   <none>\n');
    const json = JSON.parse((await cluster.run(['node', 'list', '-o', 'json'])).stdout);
    expect([json.kind, json.items.length, json.items[0].kind]).toEqual(['List', 2, 'CiliumNode']);
  });

  test('of nodes, identities, and what there is none of', async () => {
    expect((await cluster.run(['node', 'list'])).stdout).toMatch(
      /^NAME +CILIUMINTERNALIP +INTERNALIP +AGE\nnode1 /,
    );
    expect((await cluster.run(['identity', 'list'])).stdout).toMatch(
      /^NAME +NAMESPACE +AGE\n\d+ +kube-system/,
    );
    for (const noun of [
      ['bgp', 'config', 'nodes'],
      ['egress-gateway', 'list'],
      ['lb-ip-pool', 'ls'],
      ['l2-announcement', 'list'],
    ])
      expect(await cluster.run(noun)).toEqual({ stdout: '', stderr: 'No resources found\n', code: 0 });
    expect((await cluster.run(['lrp', 'list'])).stderr).toBe('No resources found in default namespace\n');
  });

  test('identities that are not used any more', async () => {
    const path = '/apis/cilium.io/v2/ciliumidentities';
    await cluster.call('POST', path, { metadata: { name: '4242' } }, 'application/json');
    expect((await cluster.run(['identity', 'list', '--unused', '-o', 'name'])).stdout).toBe(
      'ciliumidentity.cilium.io/4242\n',
    );
  });

  test.each<[string[], string]>([
    [['endpoint', 'list', '-A', '-n', 'shop'], '--namespace and --all-namespaces cannot be used together'],
    [['endpoint', 'list', '-A', '--not-ready'], '--not-ready is for what an agent knows'],
    [['endpoint', 'list', '-A', '-o', 'custom-columns=NAME'], '"NAME" is no column'],
    [['endpoint', 'list', '-A', '-o', 'tree'], 'unknown output format "tree"'],
    [['endpoint', 'list', '-A', '--node', 'node1'], '--cluster asks the API server'],
    [['policy', 'get', '--node', 'node1', '-o', 'name'], '-o name is for the objects of a cluster'],
    [['identity', 'list', '--cluster', 'k8s:app=web'], 'are for what an agent knows'],
    [['l2-announcement', 'list', '--node', 'n1'], "unknown option '--node'"],
  ])('%j is refused', async (argv, message) => {
    const { stdout, stderr, code } = await cluster.run(argv);
    expect([/NAME {2,}/.test(stdout), code]).toEqual([false, 1]);
    expect(stderr).toContain(message);
  });
});
