import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Release } from '../../../../src/model/release.ts';
import type { Answer } from '../../../../src/policy/evaluate/decide/decide.ts';
import { decideDirection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import type { Settings } from '../../../../src/policy/evaluate/decide/settings.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import type { CidrRule, Rule } from '../../../../src/policy/rule.ts';
import { run } from '../../../helpers/run.ts';
import { ruleOf } from '../../helpers.ts';
import { readState } from '../../worlds.ts';

const pod = (app: string, more: readonly string[] = []) => [
  `k8s:app=${app}`,
  'k8s:io.kubernetes.pod.namespace=shop',
  'k8s:io.cilium.k8s.policy.cluster=lab',
  ...more,
];
const IDENTITIES = [
  { id: 1, labels: ['reserved:host'] },
  { id: 2, labels: ['reserved:world'] },
  { id: 4, labels: ['reserved:health'] },
  { id: 6, labels: ['reserved:remote-node'] },
  { id: 1001, labels: pod('web') },
  { id: 1002, labels: pod('api') },
  { id: 1003, labels: pod('away') },
  { id: 1004, labels: pod('spread') },
];
const BOOK = [
  { cidr: '172.18.0.2/32', identity: 1 },
  { cidr: '172.18.0.3/32', identity: 6 },
  { cidr: '10.0.0.9/32', identity: 4 },
  { cidr: '10.0.0.1/32', identity: 1001 },
  { cidr: '10.0.0.2/32', identity: 1002 },
  { cidr: '10.0.1.2/32', identity: 1004 },
  { cidr: '10.0.0.4/32', identity: 1004 },
];
const WEB = { id: 7, identity: 1001 };

const NODES = 'whether CIDR rules select nodes is not known (--cidr-match-mode)';
const PODS = 'whether CIDR rules select pods is not known (--cidr-match-mode)';

function engineOf(rule: CidrRule, settings: Partial<Settings>): PolicyEngine {
  const known = IDENTITIES.map(({ id, labels }) => identityOf(id, labels));
  const one: Rule = {
    endpointSelector: { matchLabels: { 'k8s:app': 'web' } },
    egress: [{ toCIDRSet: [rule] }],
    enableDefaultDeny: { ingress: false, egress: true },
  };
  const around = { dualStack: false, addresses: BOOK, ...settings };
  return new PolicyEngine(known, [WEB], around).addAll([ruleOf(one)]);
}

/** The answer, or why there is none; and whether the map has the peer. */
function egressTo(peer: number, cidr: string | CidrRule, settings: Partial<Settings>) {
  const engine = engineOf(typeof cidr === 'string' ? { cidr } : cidr, settings);
  const [web, to] = [engine.identities.get(1001), engine.identities.get(peer)];
  if (!web || !to) throw new Error(`no identity ${peer}`);
  const { answer, reason } = decideDirection(engine, 'egress', web, to, { protocol: 6, port: 80 });
  const mapped = engine.entriesOf(WEB).some(({ identity }) => identity === peer);
  return { said: reason.kind === 'unknown' ? reason.why : answer, mapped };
}

const ALL_BUT: CidrRule = { cidr: '0.0.0.0/0', except: ['192.0.2.0/24'] };
const NODE = '172.18.0.0/16';
const POD = '10.0.0.0/24';

describe('whom CIDR rules select in the cluster', () => {
  test.each<[Release, Settings['cidrMatchMode'], number, string | CidrRule, Answer | string]>([
    // By default nobody.
    ['1.20', [], 6, NODE, 'denied'],
    ['1.20', [], 1002, POD, 'denied'],
    ['1.20', [], 1002, '0.0.0.0/0', 'denied'],
    // Nodes, from 1.15 on.
    ['1.15', ['nodes'], 1, NODE, 'allowed'],
    ['1.17', ['nodes'], 6, NODE, 'allowed'],
    ['1.17', ['nodes'], 6, POD, 'denied'],
    ['1.17', ['nodes'], 1002, POD, 'denied'],
    ['1.17', ['nodes'], 4, POD, 'denied'],
    ['1.14', ['nodes'], 6, NODE, 'denied'],
    // A prefix of all addresses is the world; cut around an exception it is prefixes, up to 1.18.
    ['1.17', ['nodes'], 6, '0.0.0.0/0', 'denied'],
    ['1.18', ['nodes'], 6, ALL_BUT, 'allowed'],
    ['1.19', ['nodes'], 6, ALL_BUT, 'denied'],
    ['1.20', ['nodes'], 6, ALL_BUT, 'denied'],
    ['1.20', ['nodes'], 6, { cidr: '172.0.0.0/8', except: ['172.19.0.0/16'] }, 'allowed'],
    ['1.20', ['nodes'], 6, { cidr: '172.0.0.0/8', except: ['172.18.0.0/16'] }, 'denied'],
    // Pods, from 1.20 on, also by a prefix of all addresses.
    ['1.20', ['pods'], 1002, POD, 'allowed'],
    ['1.20', ['pods'], 1002, '0.0.0.0/0', 'allowed'],
    ['1.20', ['pods'], 1002, ALL_BUT, 'allowed'],
    ['1.20', ['pods'], 6, ALL_BUT, 'denied'],
    ['1.20', ['nodes', 'pods'], 6, '0.0.0.0/0', 'allowed'],
    ['1.20', ['pods'], 1002, '10.0.1.0/24', 'denied'],
    ['1.19', ['pods'], 1002, POD, 'denied'],
    ['1.20', ['pods'], 1003, POD, 'the address of the peer is not known'],
    ['1.20', ['pods'], 1004, POD, 'it selects a part of the addresses of the peer'],
    // Not known: only where the release has it, and unless the addresses of the peer are outside.
    ['1.14', undefined, 6, NODE, 'denied'],
    ['1.15', undefined, 6, NODE, NODES],
    ['1.20', undefined, 6, NODE, NODES],
    ['1.20', undefined, 6, '0.0.0.0/0', NODES],
    ['1.17', undefined, 6, '0.0.0.0/0', 'denied'],
    ['1.17', undefined, 6, POD, 'denied'],
    ['1.19', undefined, 1002, POD, 'denied'],
    ['1.20', undefined, 1002, POD, PODS],
    ['1.20', undefined, 1002, '10.0.1.0/24', 'denied'],
    ['1.20', undefined, 1003, POD, PODS],
    ['1.20', undefined, 4, POD, 'denied'],
  ])('%s, %j: to %i by %j', (release, cidrMatchMode, peer, rule, wanted) => {
    const { said, mapped } = egressTo(peer, rule, { release, cidrMatchMode });
    expect(said).toBe(wanted);
    expect(mapped).toBe(wanted === 'allowed');
  });

  test('without a release, that of 1.17 is assumed, and what later ones do otherwise is not known', () => {
    expect(egressTo(6, NODE, {}).said).toBe(NODES);
    expect(egressTo(1002, POD, {}).said).toBe('denied');
    expect(egressTo(6, NODE, { cidrMatchMode: ['nodes'] }).said).toBe('allowed');
    expect(egressTo(6, ALL_BUT, { cidrMatchMode: ['nodes'] }).said).toBe(
      'agents from 1.19 on select no nodes here (--release)',
    );
  });

  test('nodes and pods that the agent gave labels of their addresses', () => {
    const host = identityOf(1, ['reserved:host', 'cidr:172.18.0.2/32', 'cidr:10.0.0.8/32']);
    const api = identityOf(1002, pod('api', ['cidr:10.0.0.2/32', 'cidr:10.0.0.0/24']));
    expect(host.prefixes).toEqual([]);
    expect(host.addresses).toHaveLength(2);
    expect(api.addresses).toHaveLength(1);
  });
});

describe('where it is told', () => {
  const RULES = `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: c, namespace: shop},
    spec: {endpointSelector: {}, egress: [{toCIDR: [172.18.0.0/16]}]}}`;
  const folder = mkdtempSync(join(tmpdir(), 'cidr-match-mode-'));
  const verdict = async (state: object, more: readonly string[] = []) => {
    writeFileSync(
      join(folder, 'state.json'),
      JSON.stringify({ identities: IDENTITIES, ips: BOOK, ...state }),
    );
    const ends = ['--from', '1001', '--to', '172.18.0.3', '--port', '80'];
    const argv = ['policy', 'simulate', '-r', '-', '-s', 'state.json', '-o', 'json', ...ends, ...more];
    const { stdout } = await run(argv, { stdin: RULES, cwd: folder });
    return (JSON.parse(stdout) as { verdict: string }).verdict;
  };

  test('the flag goes before the state, and without both it is not known', async () => {
    expect(await verdict({})).toBe('unknown');
    expect(await verdict({}, ['--release', '1.14'])).toBe('denied');
    expect(await verdict({ cidrMatchMode: ['nodes'] })).toBe('allowed');
    expect(await verdict({ cidrMatchMode: ['nodes'] }, ['--cidr-match-mode', 'none'])).toBe('denied');
    for (const mode of ['nodes', 'nodes,pods'])
      expect(await verdict({ cidrMatchMode: [] }, ['--cidr-match-mode', mode])).toBe('allowed');
    expect(await verdict({}, ['--cidr-match-mode', 'pods'])).toBe('denied');
  });

  test('maps that rest on it say so', async () => {
    const state = JSON.stringify({ identities: IDENTITIES, ips: BOOK, endpoints: [WEB] });
    writeFileSync(join(folder, 'maps.json'), state);
    const argv = ['policy', 'maps', '-r', '-', '-s', 'maps.json', '--release', '1.17'];
    const maps = (more: readonly string[]) => run([...argv, ...more], { stdin: RULES, cwd: folder });
    const prefix =
      'Note: no identity of 172.18.0.0/16 is known: agents make one for a prefix that rules name.\n';
    expect((await maps([])).stderr).toBe(`Note: ${NODES}.\n${prefix}`);
    const [none, nodes] = [
      await maps(['--cidr-match-mode', 'none']),
      await maps(['--cidr-match-mode', 'nodes']),
    ];
    expect([none.stderr, nodes.stderr]).toEqual([prefix, prefix]);
    expect(none.stdout).not.toMatch(/allow +6 /);
    expect(nodes.stdout).toMatch(/allow +6 /);
  });

  test('a state document may say it', async () => {
    const { settings } = await readState({ identities: IDENTITIES, cidrMatchMode: ['nodes'] });
    expect(settings.cidrMatchMode).toEqual(['nodes']);
    expect(settings.release).toBeUndefined();
    await expect(readState({ identities: IDENTITIES, cidrMatchMode: 'nodes' })).rejects.toThrow(
      '"cidrMatchMode" must be a list of "nodes" and "pods"',
    );
    await expect(readState({ identities: IDENTITIES, cidrMatchMode: ['all'] })).rejects.toThrow(
      '"cidrMatchMode" must be a list',
    );
  });

  test('only agents of 1.20 let them select pods', async () => {
    const { settings } = await readState({ identities: IDENTITIES, cidrMatchMode: ['pods'] });
    expect(settings.release).toBe('1.20');
  });
});
