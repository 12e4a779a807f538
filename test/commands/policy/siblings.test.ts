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

const cnp = (spec: string, namespace = 'd') =>
  `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p, namespace: ${namespace}}, ${spec}}`;
const ccnp = (spec: string) =>
  `{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, ${spec}}`;
const knp = (spec: string) =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: d}, spec: ${spec}}`;

/** The verdict of `policy simulate`, asked with these words. */
async function verdictOf(policy: string, words: readonly string[], state?: object): Promise<string> {
  writeFileSync(join(folder, 'p.yaml'), policy);
  writeFileSync(join(folder, 's.json'), JSON.stringify(state ?? {}));
  const argv = ['policy', 'simulate', '-r', 'p.yaml', '-n', 'd', '-o', 'json', ...words];
  const { stdout, stderr, code } = await run(state ? [...argv, '-s', 's.json'] : argv, { cwd: folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (JSON.parse(stdout) as { verdict: string }).verdict;
}

describe('prefixes of all addresses are of one family', () => {
  const POLICIES = {
    v4: cnp('spec: {endpointSelector: {matchLabels: {app: a}}, egress: [{toCIDR: [0.0.0.0/0]}]}'),
    v6: cnp('spec: {endpointSelector: {matchLabels: {app: a}}, egress: [{toCIDR: ["::/0"]}]}'),
    both: ccnp('spec: {endpointSelector: {}, egress: [{toCIDR: ["::/0", 0.0.0.0/0]}]}'),
    except: cnp(
      'specs: [{endpointSelector: {}, egress: [{toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]}]',
    ),
    deny: ccnp(
      'spec: {endpointSelector: {}, egress: [{toEntities: [all]}], egressDeny: [{toCIDR: [0.0.0.0/0]}]}',
    ),
    network: knp('{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}'),
    anyone: knp('{podSelector: {}, policyTypes: [Egress], egress: [{}]}'),
  };
  const SPLIT = {
    identities: [
      { id: 1001, labels: ['k8s:app=a', 'k8s:io.kubernetes.pod.namespace=d'] },
      { id: 16_777_217, labels: ['cidr:2606--0/16', 'reserved:world-ipv6'] },
    ],
  };
  test.each([
    ['v4', '2606:4700::1', 'denied'],
    ['v4', '2606:4700::/32', 'denied'],
    ['v4', '1.2.3.4', 'allowed'],
    ['v4', 'world', 'unknown'],
    ['v4', 'world-ipv4', 'allowed'],
    ['v4', 'world-ipv6', 'denied'],
    ['v4', 'fqdn:a.example', 'unknown'],
    ['v4', 'host', 'denied'],
    ['v6', '2606:4700::1', 'allowed'],
    ['v6', '1.2.3.4', 'denied'],
    ['both', '2606:4700::1', 'allowed'],
    ['both', '1.2.3.4', 'allowed'],
    ['both', 'world', 'allowed'],
    ['except', '10.1.2.3', 'denied'],
    ['except', '1.2.3.4', 'allowed'],
    ['except', '2606::1', 'denied'],
    ['deny', '1.2.3.4', 'denied'],
    ['deny', '2606::1', 'allowed'],
    ['deny', 'world', 'unknown'],
    ['network', '2606::1', 'denied'],
    ['network', '1.2.3.4', 'allowed'],
    ['anyone', '2606::1', 'allowed'],
    ['anyone', 'world', 'allowed'],
  ] as const)('%s to %s: %s', async (policy, to, verdict) => {
    const words = ['--from', 'app=a', '--to', to, '-p', '443'];
    for (const state of [undefined, SPLIT])
      for (const release of [[], ['--release', '1.15'], ['--release', '1.20', '--cidr-match-mode', 'none']])
        expect([to, await verdictOf(POLICIES[policy], [...words, ...release], state)]).toEqual([to, verdict]);
  });

  test('up to 1.14 they share one world', async () => {
    const words = ['--from', 'app=a', '--to', '2606::1', '-p', '443', '--release', '1.14'];
    expect(await verdictOf(POLICIES.v4, words)).toBe('allowed');
  });
});

describe('nothing outside is in the cluster, and all nodes are, whatever it is called', () => {
  const KNOWN = {
    identities: [
      {
        id: 1001,
        labels: ['k8s:app=a', 'k8s:io.kubernetes.pod.namespace=d', 'k8s:io.cilium.k8s.policy.cluster=lab'],
      },
    ],
    endpoints: [{ id: 5, identity: 1001 }],
  };
  const OPEN = ccnp('spec: {endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}');
  const CLOSED = ccnp(
    'spec: {endpointSelector: {}, ingress: [{fromEntities: [all]}], ingressDeny: [{fromEntities: [cluster]}]}',
  );
  test.each([
    ['1.2.3.4', 'denied', 'denied'],
    ['2001:db8::1', 'denied', 'denied'],
    ['192.0.2.0/24', 'denied', 'denied'],
    ['world', 'denied', 'denied'],
    ['world-ipv6', 'denied', 'denied'],
    ['fqdn:a.example', 'denied', 'denied'],
    ['host', 'allowed', 'allowed'],
    ['remote-node', 'allowed', 'allowed'],
    ['kube-apiserver', 'allowed', 'allowed'],
    ['health', 'allowed', 'allowed'],
    ['app=x', 'unknown', 'allowed'],
    ['k8s:app=x,k8s:io.cilium.k8s.policy.cluster=other', 'unknown', 'denied'],
  ] as const)('from %s: %s, with the name of the cluster %s', async (from, unnamed, named) => {
    const opposite = { allowed: 'denied', denied: 'allowed', unknown: 'unknown' };
    const words = ['--from', from, '--to', 'app=a', '-p', '80'];
    const asked = from.startsWith('k8s:')
      ? words.with(1, `${from},k8s:io.kubernetes.pod.namespace=d`)
      : words;
    for (const release of [[], ['--release', '1.9'], ['--release', '1.20']]) {
      expect(await verdictOf(OPEN, [...asked, ...release])).toBe(unnamed);
      expect(await verdictOf(CLOSED, [...asked, ...release])).toBe(opposite[unnamed]);
      expect(await verdictOf(OPEN, [...asked, ...release], KNOWN)).toBe(named);
      expect(await verdictOf(CLOSED, [...asked, ...release], KNOWN)).toBe(opposite[named]);
    }
  });
});

describe('a port name that pods have different numbers for, on egress', () => {
  const STATE = {
    identities: [
      { id: 11, labels: ['k8s:role=logging', 'k8s:io.kubernetes.pod.namespace=d'] },
      { id: 12, labels: ['k8s:app=s1', 'k8s:io.kubernetes.pod.namespace=d'] },
      { id: 13, labels: ['k8s:app=s2', 'k8s:io.kubernetes.pod.namespace=d'] },
    ],
    endpoints: [
      { id: 1, identity: 11 },
      { id: 2, identity: 12, namedPorts: [{ name: 'web', port: 8000, protocol: 'TCP' }] },
      { id: 3, identity: 13, namedPorts: [{ name: 'web', port: 8080, protocol: 'TCP' }] },
    ],
  };
  const OPEN = knp(
    '{podSelector: {matchLabels: {role: logging}}, policyTypes: [Egress], egress: [{ports: [{port: web}]}]}',
  );
  const PEERS = cnp(
    'specs: [{endpointSelector: {matchLabels: {role: logging}}, egress: [{toEndpoints: [{matchLabels: {app: s1}}], toPorts: [{ports: [{port: web, protocol: TCP}]}]}]}]',
  );
  const DENY = cnp(
    'spec: {endpointSelector: {matchLabels: {role: logging}}, egress: [{toEntities: [all]}], egressDeny: [{toEndpoints: [{}], toPorts: [{ports: [{port: web, protocol: ANY}]}]}]}',
  );
  test.each([
    // [policy, destination, port, without a release, up to 1.19, from 1.20 on]
    [OPEN, 'app=s1', '8000', 'unknown', 'denied', 'allowed'],
    [OPEN, 'app=s2', '8080', 'unknown', 'denied', 'allowed'],
    [OPEN, 'app=s1', '8080', 'denied', 'denied', 'denied'],
    [OPEN, 'app=s1', '9000', 'denied', 'denied', 'denied'],
    [OPEN, 'app=s1', '8000/UDP', 'denied', 'denied', 'denied'],
    [OPEN, '1.2.3.4', '8000', 'denied', 'denied', 'denied'],
    [PEERS, 'app=s1', '8000', 'unknown', 'denied', 'allowed'],
    [PEERS, 'app=s2', '8080', 'denied', 'denied', 'denied'],
    [DENY, 'app=s1', '8000', 'unknown', 'allowed', 'denied'],
    [DENY, 'app=s1', '8080', 'allowed', 'allowed', 'allowed'],
  ] as const)('%s to %s %s', async (policy, to, port, without, before, after) => {
    const words = ['--from', 'role=logging', '--to', to, '-p', port];
    expect(await verdictOf(policy, words, STATE)).toBe(without);
    for (const release of ['1.15', '1.19'])
      expect(await verdictOf(policy, [...words, '--release', release], STATE)).toBe(before);
    expect(await verdictOf(policy, [...words, '--release', '1.20'], STATE)).toBe(after);
  });

  test('says why', async () => {
    writeFileSync(join(folder, 'p.yaml'), OPEN);
    writeFileSync(join(folder, 's.json'), JSON.stringify(STATE));
    const argv = ['policy', 'simulate', '-r', 'p.yaml', '-s', 's.json', '-n', 'd', '--from', 'role=logging'];
    const { stdout } = await run([...argv, '--to', 'app=s1', '-p', '8000'], { cwd: folder });
    expect(stdout).toContain(
      'the port name web stands for 8000 and 8080: agents before 1.20 then allow none',
    );
  });
});
