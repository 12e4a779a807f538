import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { RunResult } from '../../../src/cluster/connectivity/results.ts';
import type { Area } from '../../../src/cluster/connectivity/suspect.ts';
import type { Fault } from '../../../src/lab/pods/faults.ts';
import { startTestCluster, type TestCluster } from '../../helpers/cluster.ts';
import { podTest, startPodCluster } from '../../helpers/pods.ts';
import { until } from '../../helpers/until.ts';

/** Processes of this machine, each with its parent and its network namespace. */
function processes(): Map<number, { parent: number; network: string }> {
  const found = new Map<number, { parent: number; network: string }>();
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one)))
    try {
      const [, parent = ''] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      found.set(Number(name), { parent: Number(parent), network: readlinkSync(`/proc/${name}/ns/net`) });
    } catch {
      // It has ended.
    }
  return found;
}

/** Network namespaces of what this process has started. */
function ownNetworks(): Set<string> {
  const all = processes();
  const isOwn = (pid: number): boolean =>
    pid === process.pid || (pid > 1 && isOwn(all.get(pid)?.parent ?? 0));
  const own = new Set([...all].filter(([pid]) => isOwn(pid)).map(([, { network }]) => network));
  own.delete(readlinkSync('/proc/self/ns/net'));
  return own;
}

const named = async (cluster: TestCluster) => {
  const { json } = await cluster.call('GET', '/api/v1/namespaces');
  return (json as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
};

/** Runs the tests in a lab whose pods run; what they were made of is gone afterwards. */
async function tested(faults: readonly Fault[], ...more: string[]) {
  const links = Object.keys(networkInterfaces()).sort();
  let networks = new Set<string>();
  const run = async () => {
    await using pods = await startPodCluster({ faults });
    const before = await named(pods.cluster);
    const ended = await pods.cluster.run(['connectivity', 'test', '-o', 'json', ...more], { realTime: true });
    expect(await named(pods.cluster)).toEqual(before);
    networks = ownNetworks();
    return ended;
  };
  const { stdout, stderr, code } = await run();
  // Nodes and the pods of the cluster itself: one each, at least.
  expect(networks.size).toBeGreaterThan(2);
  await until(async () => ![...processes().values()].some(({ network }) => networks.has(network)));
  expect(Object.keys(networkInterfaces()).sort()).toEqual(links);
  const { tests } = JSON.parse(stdout) as RunResult;
  return { tests, stderr, code };
}

podTest('in a lab whose pods run every check passes', async () => {
  const { tests, code } = await tested([], '--connect-timeout', '5s', '--request-timeout', '15s');
  const others = tests.filter(({ status }) => status !== 'passed');
  expect(tests).toHaveLength(15);
  expect(others.map(({ name, status }) => [name, status])).toEqual([['world', 'skipped']]);
  expect(tests.flatMap(({ actions }) => actions.flatMap(({ warnings }) => warnings))).toEqual([]);
  expect(code).toBe(0);
});

podTest('tests of the catalogue pass: ranges and names of ports, ICMP', async () => {
  const chosen = ['^client-egress-to-echo-deny-port-range$', '^client-egress-l7-named-port$', 'icmp'];
  const { tests, code } = await tested([], ...QUICK, '--all', '--test', chosen.join());
  const made = tests.filter(({ status }) => status !== 'skipped');
  expect(made.map(({ name, status }) => [name, status])).toEqual([
    ['client-ingress-icmp', 'passed'],
    ['client-ingress-from-other-client-icmp-deny', 'passed'],
    ['client-egress-to-echo-deny-port-range', 'passed'],
    ['client-egress-l7-named-port', 'passed'],
  ]);
  expect(code).toBe(0);
});

const QUICK = ['--connect-timeout', '3s', '--request-timeout', '6s'];

/** What of the failures of these checks is shown, when this is planted. */
async function found(fault: Fault, checks: string) {
  const { tests, stderr, code } = await tested([fault], ...QUICK, '--test', checks);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/tests failed\n$/)]);
  const failed = tests.flatMap(({ actions }) => actions.filter(({ ok }) => !ok));
  const areas = [...new Set(failed.map(({ suspect }) => suspect?.area))];
  return {
    areas: areas as (Area | undefined)[],
    failed: failed.map(({ name }) => name.split('/')[0]),
    flows: failed.flatMap(({ evidence }) => evidence?.flows ?? []),
    decided: failed.map(({ evidence }) => evidence?.decided?.verdict),
    sentences: failed.map(({ suspect }) => suspect?.sentence ?? ''),
    because: failed.flatMap(({ suspect }) => suspect?.because ?? []),
  };
}

podTest('a DNS that does not answer is found', async () => {
  const { areas, flows, decided, because } = await found('dns', '^dns$,^pod-pod-same-node$');
  expect(areas).toEqual(['dns']);
  expect(flows).toContainEqual(expect.objectContaining({ port: '53/UDP', verdict: 'FORWARDED' }));
  expect(new Set(decided)).toEqual(new Set(['allowed']));
  expect(because).toContain('a pod of the cluster DNS does not answer either when it is asked itself');
});

podTest('a DNS that knows no name is found', async () => {
  const { areas, because } = await found('dns-names', '^dns$,^fqdn$');
  expect(areas).toEqual(['dns']);
  expect(because).toContain('a pod of the cluster DNS, asked itself, says that the name does not exist');
});

podTest('a node that drops what policies allow is found', async () => {
  const { areas, flows, decided, sentences } = await found('policy', '^pod-pod-other-node$,^pod-service$');
  expect(areas).toEqual(['policy']);
  expect(flows).toContainEqual(
    expect.objectContaining({ node: 'node2', verdict: 'DROPPED', dropReason: 'POLICY_DENIED' }),
  );
  expect(new Set(decided)).toEqual(new Set(['allowed']));
  expect(new Set(sentences)).toEqual(
    new Set([
      'Policy: node node2 drops it at ingress (POLICY_DENIED), while the rules of the cluster allow it.',
    ]),
  );
});

podTest('a forgotten policy is found, also where another one is tried', async () => {
  const { areas, flows, decided, sentences } = await found('policy-object', '^pod-pod-same-node$,^l7$');
  expect(areas).toEqual(['policy']);
  expect(flows).toContainEqual(expect.objectContaining({ verdict: 'DROPPED', dropReason: 'POLICY_DENY' }));
  expect(new Set(decided)).toEqual(new Set(['denied']));
  for (const sentence of sentences)
    expect(sentence).toContain('(POLICY_DENY), by CiliumClusterwideNetworkPolicy forgotten.');
});

podTest('the report and the file for CI have flows, rules and the suspect', async () => {
  await using pods = await startPodCluster({ faults: ['policy-object'] });
  const folder = mkdtempSync(join(tmpdir(), 'junit-'));
  const file = join(folder, 'results.xml');
  const argv = ['connectivity', 'test', ...QUICK, '--test', '^pod-pod-same-node$', '--junit', file];
  const { stdout } = await pods.cluster.run(argv, { realTime: true });
  const xml = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  for (const text of [stdout, xml.replaceAll('&gt;', '>')]) {
    expect(text).toMatch(
      /flow: \S+ node2: cilium-test-1\/client3-\S+ -> cilium-test-1\/echo-other-node-\S+ 8080\/TCP DROPPED \(POLICY_DENY\) ingress \(\d+ times\)\n/,
    );
    expect(text).toContain('drops it at ingress (POLICY_DENY), by CiliumClusterwideNetworkPolicy forgotten.');
    expect(text).toContain('ingress denied: denied by CiliumClusterwideNetworkPolicy forgotten');
  }
  expect(stdout).toContain('Suspects, what others rest on first: policy (2)\n');
});

podTest('a node that does not know services is found', async () => {
  const { areas, sentences, because } = await found('service', '^pod-pod,^pod-service$');
  expect(areas).toEqual(['service']);
  expect(new Set(sentences).size).toBe(1);
  expect(because).toContain('Hubble shows no flow of it');
});

podTest('services that lead to a dead backend are found', async () => {
  const { areas, failed } = await found('service-backend', '^pod-service$,^nodeport$');
  expect(areas).toEqual(['service']);
  expect(new Set(failed)).toEqual(new Set(['pod-service', 'nodeport']));
});

podTest('nodes that do not reach each other are found', async () => {
  const { areas, flows, failed } = await found('node-to-node', '^pod-pod');
  expect(areas).toEqual(['node-to-node']);
  expect(new Set(failed)).toEqual(new Set(['pod-pod-other-node']));
  expect(flows).toContainEqual(expect.objectContaining({ node: 'node1', direction: 'egress' }));
});

test('a lab whose pods do not run says so', async () => {
  await using cluster = await startTestCluster({ nodes: 2 });
  const before = await named(cluster);
  const { stderr, code } = await cluster.run(['connectivity', 'test', '--yes'], { realTime: true });
  expect(stderr).toMatch(/pods do not (really )?run/);
  expect(code).toBe(1);
  expect(await named(cluster)).toEqual(before);
});
