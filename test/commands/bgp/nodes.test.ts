import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ProgramCluster, type ProgramPod, servePrograms } from '../../helpers/agent-programs.ts';
import { run } from '../../helpers/run.ts';

const MINUTE_NS = 60_000_000_000;
const base64 = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('base64');
const PEERS = [
  {
    'local-asn': 65001,
    'peer-asn': 65000,
    'peer-address': '172.18.0.5',
    'peer-port': 179,
    'session-state': 'established',
    'uptime-nanoseconds': 63_400_000_000,
    families: [
      { afi: 'ipv4', safi: 'unicast', received: 2, advertised: 1 },
      { afi: 'ipv6', safi: 'unicast' },
    ],
    'local-capabilities': [{ capabilities: base64('02 00') }],
  },
];
/** Origin IGP and the next hop 0.0.0.0. */
const ATTRIBUTES = [{ base64: base64('40 01 01 00') }, { base64: base64('40 03 04 00000000') }];
const path = (nlri: string) => ({
  family: { afi: 'ipv4', safi: 'unicast' },
  nlri: { base64: base64(nlri) },
  'age-nanoseconds': 12 * MINUTE_NS + 4_000_000_000,
  'path-attributes': ATTRIBUTES,
});
const ROUTES = [{ prefix: '10.244.1.0/24', 'router-asn': 65001, paths: [path('18 0af401')] }];
const SENT = [{ ...ROUTES[0], neighbor: '172.18.0.5' }];

const agent = (node: string, peers: unknown, more: Partial<ProgramPod> = {}): ProgramPod => ({
  name: `cilium-${node}`,
  node,
  run: ([program = '', ...words]) => {
    if (program !== 'cilium' && program !== 'cilium-dbg') return undefined;
    if (words[1] === 'peers') return { stdout: JSON.stringify(peers) };
    return { stdout: JSON.stringify(words[2] === 'advertised' ? SENT : ROUTES) };
  },
  ...more,
});
const DISABLED: ProgramPod['run'] = ([program]) =>
  program === 'perl' ? undefined : { stdout: 'BGP Control Plane is disabled\n' };

let cluster: ProgramCluster;
const ask = (...argv: string[]) => run(['bgp', ...argv], { env: cluster.env });

describe('one node of which all is known', () => {
  beforeAll(async () => {
    cluster = await servePrograms([agent('kind-worker', PEERS)]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // The samples of the reference's formats: facts of cilium-cli 0.19.7.
  test('peers', async () => {
    expect(await ask('peers')).toEqual({
      stdout: `Node          Local AS   Peer AS   Peer Address   Session State   Uptime   Family         Received   Advertised
kind-worker   65001      65000     172.18.0.5     established     1m3s     ipv4/unicast   2          1    
                                                                           ipv6/unicast   0          0    
`,
      stderr: '',
      code: 0,
    });
  });

  test('routes', async () => {
    const table = `Node          VRouter   Prefix          NextHop   Age     Attrs
kind-worker   65001     10.244.1.0/24   0.0.0.0   12m4s   [{Origin: i} {Nexthop: 0.0.0.0}]   
`;
    expect(await ask('routes', 'available', 'ipv4', 'unicast')).toEqual({
      stdout: table,
      stderr: '',
      code: 0,
    });
    const said = '(Defaulting to `available ipv4 unicast` routes, please see help for more options)\n\n';
    expect((await ask('routes')).stdout).toBe(said + table);
    const json = (await ask('routes', '-o', 'json')).stdout;
    expect(json).toMatch(
      /^\{\n "kind-worker": \[\n {2}\{\n {3}"paths": \[\n {4}\{\n {5}"age-nanoseconds": 724000000000,\n/,
    );
    // As Go reads and writes it: fields in their order, a list that is missing as null.
    expect((await ask('peers', '-o', 'json')).stdout).toContain(
      '\n   "peer-port": 179,\n   "remote-capabilities": null,\n   "session-state": "established",\n',
    );
    expect((await ask('routes', 'advertised', 'ipv4', 'unicast', 'peer', '172.18.0.5')).stdout).toBe(
      `Node          VRouter   Peer         Prefix          NextHop   Age     Attrs
kind-worker   65001     172.18.0.5   10.244.1.0/24   0.0.0.0   12m4s   [{Origin: i} {Nexthop: 0.0.0.0}]   
`,
    );
    expect(cluster.ran.at(-1)).toBe(
      'cilium-kind-worker: cilium-dbg bgp routes advertised ipv4 unicast peer 172.18.0.5 -o json',
    );
  });

  test('capabilities', async () => {
    expect((await ask('peers', '--capabilities')).stdout).toBe(
      'Cilium node: kind-worker\nBGP neighbor is 172.18.0.5, remote AS 65000\nNeighbor capabilities:\n\troute-refresh: advertised\n\t\tlocal:\n\t\t\troute-refresh\n',
    );
  });

  // differs: bgp-nodes-words
  test.each([
    [['all'], 'invalid argument: `all`, expected `available` / `advertised`'],
    [['available', 'ipx'], 'unknown AFI `ipx`'],
    [['available', 'ipv4', 'x'], 'unknown SAFI `x`'],
    [['available', 'ipv4', 'unicast', 'x'], 'invalid argument: `x`, expected `vrouter` / `peer`'],
    [['available', 'ipv4', 'unicast', 'vrouter'], 'missing vrouter ASN value'],
    [['advertised', 'ipv4', 'unicast', 'vrouter', '1', 'x'], 'missing `peer` argument'],
    [['advertised', 'ipv4', 'unicast', 'peer'], 'missing peer IP address'],
  ])('routes %j', async (words, message) => {
    const { stdout, stderr, code } = await ask('routes', ...words);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(`Error: Unable to get BGP routes: ${message}\n`);
  });

  test('what is for one agent alone, or for all, is refused where it would be without effect', async () => {
    expect((await ask('peers', '--watch')).stderr).toContain('--watch is for one agent');
    for (const flag of [['--all-nodes'], ['--limit-nodes', 'a=b']])
      expect((await ask('peers', '--cluster', ...flag)).stderr).toContain(
        `Error: --cluster and ${flag[0]} cannot be used together\n`,
      );
    const alone = await ask('peers', '--agent', '--agent-pod-selector', 'a=b');
    expect(alone.stderr).toContain('--agent-pod-selector is for all nodes');
    expect((await ask('peers', '--agent-pod-selector', 'a=b')).stderr).toContain('the label a=b');
  });
});

describe('several nodes', () => {
  const bare = { ...PEERS[0], 'local-asn': 64999, 'peer-address': '10.0.0.9', families: [] };
  beforeAll(async () => {
    cluster = await servePrograms([
      agent('n2', [...PEERS, bare]),
      agent('n1', PEERS),
      agent('n3', [], { run: DISABLED }),
      agent('n4', [], { waiting: 'CrashLoopBackOff' }),
      agent('n5', [], {
        run: ([program]) => (program === 'perl' ? undefined : { stderr: 'no socket\n', code: 1 }),
      }),
    ]);
  });
  afterAll(async () => cluster[Symbol.asyncDispose]());

  // differs: bgp-nodes-exit, bgp-nodes-bare, bgp-nodes-disabled
  test('what could not be asked is said, and the rest is printed in order', async () => {
    const { stdout, stderr, code } = await ask('peers');
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'Node   Local AS   Peer AS   Peer Address   Session State   Uptime   Family         Received   Advertised',
      'n1     65001      65000     172.18.0.5     established     1m3s     ipv4/unicast   2          1',
      '                                                                    ipv6/unicast   0          0',
      'n2     64999      65000     10.0.0.9       established     1m3s',
      '       65001      65000     172.18.0.5     established     1m3s     ipv4/unicast   2          1',
      '                                                                    ipv6/unicast   0          0',
      '',
    ]);
    expect(stderr).toBe(
      `Errors retrieving peering state: failed to fetch bgp state from cilium-n4: the container waits: CrashLoopBackOff
failed to fetch bgp state from cilium-n5: no socket

BGP Control Plane is disabled on n3
`,
    );
    expect(code).toBe(3);
  });

  test('one of them', async () => {
    const { stdout, code } = await ask('peers', '--cluster', '--node', 'n1');
    expect([stdout.split('\n').length, code]).toEqual([4, 0]);
    const nowhere = await ask('peers', '--cluster', '--node', 'n9');
    expect(nowhere.stderr).toContain(
      'Unable to get peering status: no agent of Cilium was found on node n9 in the namespace kube-system',
    );
    expect(nowhere.code).toBe(1);
  });

  test('where none answers it is an error, and where all are without BGP it is not', async () => {
    const { stdout, stderr, code } = await ask('peers', '--cluster', '--node', 'n5');
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(
      'Unable to get peering status: failed to fetch bgp state from cilium-n5: no socket\n',
    );
    expect(await ask('peers', '--cluster', '--node', 'n3')).toEqual({
      stdout: 'BGP Control Plane is disabled\n',
      stderr: '',
      code: 0,
    });
  });
});
