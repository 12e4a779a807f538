import { describe, expect, test } from '@jest/globals';
import { type Answer, agentOf } from '../../helpers/agent.ts';

const HOUR_NS = 3_600_000_000_000;

/** A path attribute as it goes over the wire. */
function attribute(type: number, hex: string, flags = 0x40) {
  const value = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return { base64: Buffer.concat([Buffer.from([flags, type, value.length]), value]).toString('base64') };
}

function capability(code: number, hex: string) {
  const value = Buffer.from(hex, 'hex');
  return { capabilities: Buffer.concat([Buffer.from([code, value.length]), value]).toString('base64') };
}

/** An agent that says its version, or none. */
function saying(version: string | undefined): Record<string, Answer> {
  return version === undefined
    ? {}
    : { 'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: version } } } };
}

describe('bgp peers', () => {
  const peers = [
    {
      'local-asn': 65001,
      'peer-asn': 65000,
      'peer-address': 'fd00:10::1',
      'peer-port': 179,
      'session-state': 'established',
      'uptime-nanoseconds': 6 * HOUR_NS + 5_499_999_999,
      families: [
        { afi: 'ipv4', safi: 'unicast', received: 2, advertised: 12 },
        { afi: 'ipv6', safi: 'unicast', received: 1 },
      ],
    },
    {
      'local-asn': 65001,
      'peer-asn': 65010,
      'peer-address': '10.0.0.1',
      'peer-port': 179,
      'session-state': 'active',
      families: [{ afi: 'ipv4', safi: 'unicast' }],
    },
    {
      'local-asn': 64999,
      'peer-asn': 1,
      'peer-address': '192.0.2.1',
      'peer-port': 1179,
      'session-state': 'idle',
    },
  ];

  // differs: bgp-peers
  test('has a line per family, by local AS and address', async () => {
    await using agent = await agentOf({ 'GET /v1/bgp/peers': { body: peers } });
    const { stdout } = await agent.run(['bgp', 'neighbors']);
    expect(stdout).toBe(
      [
        'Local AS   Peer AS   Peer Address     Session       Uptime   Family         Received   Advertised',
        '64999      1         192.0.2.1:1179   idle          0s                                 ',
        '65001      65010     10.0.0.1:179     active        0s       ipv4/unicast   0          0',
        '65001      65000     fd00:10::1:179   established   6h0m5s   ipv4/unicast   2          12',
        '                                                             ipv6/unicast   1          0',
        '',
      ].join('\n'),
    );
  });

  // differs: release-forms
  test.each([
    { version: '1.13.18', end: '    ' },
    { version: '1.14.2', end: '    ' },
    { version: '1.17.9', end: '    ' },
    { version: '1.18.0', end: '' },
  ])('of $version ends its rows in its own way', async ({ version, end }) => {
    await using agent = await agentOf({
      ...saying(version),
      'GET /v1/bgp/peers': { body: peers.slice(0, 2) },
    });
    const { stdout } = await agent.run(['bgp', 'peers']);
    expect(stdout.includes(':179 ')).toBe(version !== '1.13.18');
    const ends = stdout.split('\n').map((line) => /[^ ]( *)$/.exec(line)?.[1]);
    expect(ends).toEqual(['', ...['0', '12', '0'].map((n) => end.slice(n.length - 1)), undefined]);
  });

  // differs: bgp-deprecated
  test('says nothing of a verb that 1.20 calls deprecated', async () => {
    await using agent = await agentOf({
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: '1.20.1' } } },
      'GET /v1/bgp/peers': { body: peers },
    });
    const { code, stderr } = await agent.run(['bgp', 'peers']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('-c tells capabilities of both sides', async () => {
    const body = [
      {
        'peer-asn': 65000,
        'peer-address': '10.0.0.1',
        'local-capabilities': [capability(1, '00010001'), capability(2, ''), capability(65, '0000fde9')],
        'remote-capabilities': [
          capability(1, '00010001'),
          capability(1, '00020001'),
          capability(1, '00010085'),
          capability(64, '80780001018000020180'),
          capability(71, ''),
          capability(73, '03667272026462'),
          { capabilities: 'AQ==' },
        ],
      },
      { 'peer-asn': 1, 'peer-address': '10.0.0.0' },
    ];
    await using agent = await agentOf({ 'GET /v1/bgp/peers': { body } });
    const { stdout } = await agent.run(['bgp', 'peers', '-c']);
    expect(stdout).toBe(
      [
        'BGP neighbor is 10.0.0.1, remote AS 65000',
        'Neighbor capabilities:',
        '     multiprotocol:',
        '          ipv4-unicast: advertised and received',
        '          ipv6-unicast: received',
        '          ipv4-flowspec: received',
        '     route-refresh: advertised',
        '          local:',
        '               route-refresh',
        '     graceful-restart: received',
        '          remote:',
        '               restart time: 120 sec, restart flag set',
        '               ipv4-unicast, forward flag set',
        '               ipv6-unicast, forward flag set',
        '     4-octet-as: advertised',
        '          local:',
        '               4-octet-as',
        '     long-lived-graceful-restart: received',
        '          remote:',
        '     fqdn: received',
        '          remote:',
        '               name: frr',
        '               domain: db',
        'BGP neighbor is 10.0.0.0, remote AS 1',
        'Neighbor capabilities:',
        'No capabilities found',
        '',
      ].join('\n'),
    );
    await using nobody = await agentOf({ 'GET /v1/bgp/peers': { body: [] } });
    expect((await nobody.run(['bgp', 'peers', '--caps'])).stdout).toBe(
      'No BGP peer sessions found on this node\n',
    );
  });

  test('fails when the agent does, unless BGP is off', async () => {
    await using agent = await agentOf({ 'GET /v1/bgp/peers': { status: 500, body: 'boom' } });
    const { stderr, stdout, code } = await agent.run(['bgp', 'peers']);
    expect(stderr).toContain('cannot get peers list: [GET /bgp/peers][500] getBgpPeersFailure "boom"');
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });
});

describe('bgp routes', () => {
  const route = (neighbor: string, prefix: string, nlri: string, attributes: object[], afi = 'ipv4') => ({
    'router-asn': 65001,
    neighbor,
    prefix,
    paths: [
      {
        family: { afi, safi: 'unicast' },
        nlri: { base64: Buffer.from(nlri, 'hex').toString('base64') },
        'path-attributes': attributes,
        'age-nanoseconds': HOUR_NS / 2,
      },
    ],
  });
  const local = [attribute(1, '00'), attribute(3, '00000000')];

  test('available shows prefix, next hop, age and attributes', async () => {
    await using agent = await agentOf({
      'GET /v1/bgp/routes?afi=ipv4&safi=unicast&table_type=loc-rib': {
        body: [route('', '10.1.1.0/24', '180a0101', local), route('', '10.1.0.0/24', '180a0100', local)],
      },
    });
    const { stdout } = await agent.run(['bgp', 'routes', 'available', 'ipv4', 'unicast']);
    expect(stdout).toBe(
      [
        'VRouter   Prefix        NextHop   Age     Attrs',
        '65001     10.1.0.0/24   0.0.0.0   30m0s   [{Origin: i} {Nexthop: 0.0.0.0}]',
        '65001     10.1.1.0/24   0.0.0.0   30m0s   [{Origin: i} {Nexthop: 0.0.0.0}]',
        '',
      ].join('\n'),
    );
  });

  test.each([
    { version: '1.15.0', end: '   ' },
    { version: '1.19.0', end: '' },
  ])('of $version ends its rows in its own way', async ({ version, end }) => {
    const body = [{ 'router-asn': 65001, prefix: '10.0.0.0/24', paths: [] as object[] }];
    body[0]?.paths.push({
      family: { afi: 'ipv4', safi: 'unicast' },
      nlri: { base64: Buffer.from('180a0000', 'hex').toString('base64') },
      'path-attributes': [attribute(1, '00')],
    });
    const call = 'GET /v1/bgp/routes?afi=ipv4&safi=unicast&table_type=loc-rib';
    await using agent = await agentOf({ ...saying(version), [call]: { body } });
    const { stdout } = await agent.run(['bgp', 'routes', 'available', 'ipv4', 'unicast']);
    expect(stdout.split('\n')[1]).toBe(`65001     10.0.0.0/24   0.0.0.0   0s    [{Origin: i}]${end}`);
  });

  // differs: release-forms
  test.each([
    { version: '1.19.2', path: '' },
    { version: '1.20.0', path: ':0' },
  ])('advertised adds the peer, and decodes every attribute ($version)', async ({ version, path }) => {
    const attributes = [
      attribute(1, '02'),
      attribute(2, '0202 0000fde9 00010000 0101 00000005'),
      attribute(4, '00000064'),
      attribute(5, '0000012c'),
      attribute(6, ''),
      attribute(7, '0000fde9 c0000201'),
      attribute(8, 'fde80063 ffffff01'),
      attribute(9, 'c0000201'),
      attribute(10, 'c0000201 c0000202'),
      attribute(32, '0000fde9 00000001 00000002'),
      attribute(14, '0001 01 10 fd000010000000010000000000000002 00 180a0100'),
      attribute(99, 'abcd', 0xc0),
    ];
    await using agent = await agentOf({
      ...saying(version),
      'GET /v1/bgp/routes?afi=ipv4&safi=unicast&table_type=adj-rib-out': {
        body: [route('fd00:10::1', '10.1.0.0/24', '180a0100', attributes)],
      },
    });
    const { stdout } = await agent.run(['bgp', 'routes', 'advertised', 'ipv4', 'unicast']);
    expect(stdout).toBe(
      [
        'VRouter   Peer         Prefix        NextHop          Age     Attrs',
        '65001     fd00:10::1   10.1.0.0/24   fd00:10:0:1::2   30m0s   [{Origin: ?} {AsPath: 65001 65536 {5}} {Med: 100} ' +
          '{LocalPref: 300} {AtomicAggregate} {Aggregate: {AS: 65001, Address: 192.0.2.1}} {Communities: 65000:99, no-export} ' +
          '{Originator: 192.0.2.1} {ClusterList: [192.0.2.1 192.0.2.2]} {LargeCommunity: [ 65001:1:2]} ' +
          `{MpReach(ipv4-unicast): {Nexthop: fd00:10:0:1::2, NLRIs: [10.1.0.0/24${path}]}} ` +
          '{Flags: TRANSITIVE|OPTIONAL, Type: 99, Value: abcd}]',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [
      ['available'],
      'afi=ipv4&safi=unicast&table_type=loc-rib',
      '(Defaulting to `ipv4 unicast` AFI & SAFI, please see help for more options)\n\n',
    ],
    [
      ['advertised', 'ipv6'],
      'afi=ipv6&safi=unicast&table_type=adj-rib-out',
      '(Defaulting to `unicast` SAFI, please see help for more options)\n\n',
    ],
    [
      ['available', 'ipv6', 'unicast', 'vrouter', '65001'],
      'afi=ipv6&router_asn=65001&safi=unicast&table_type=loc-rib',
      '',
    ],
    [
      ['advertised', 'ipv4', 'unicast', 'vrouter', '65001', 'neighbor', 'FD00::1'],
      'afi=ipv4&neighbor=fd00%3A%3A1&router_asn=65001&safi=unicast&table_type=adj-rib-out',
      '',
    ],
  ])('%j asks for %s', async (words, query, notice) => {
    await using agent = await agentOf({ [`GET /v1/bgp/routes?${query}`]: { body: [] } });
    const { stdout, code } = await agent.run(['bgp', 'routes', ...words]);
    expect(stdout.startsWith(`${notice}VRouter`)).toBe(true);
    expect(code).toBe(0);
    expect((await agent.run(['bgp', 'routes', ...words, '-o', 'json'])).stdout).toBe('[]\n\n');
  });

  test.each([
    [['all'], 'invalid table type discriminator `all`'],
    [['available', 'ipv5'], 'unknown AFI ipv5'],
    [['available', 'ipv4', 'cast'], 'unknown SAFI cast'],
    [['available', 'ipv4', 'unicast', 'vrouter'], 'missing vrouter ASN value'],
    [['available', 'ipv4', 'unicast', 'vrouter', 'x'], 'invalid vrouter ASN'],
    [['advertised', 'ipv4', 'unicast', 'to', 'x'], 'missing `peer` parameter'],
    [['advertised', 'ipv4', 'unicast', 'peer', 'x'], 'invalid peer IP address'],
  ])('%j is refused before the agent is asked', async (words, message) => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(['bgp', 'routes', ...words]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    expect(agent.seen).toEqual([]);
  });

  // differs: bgp-attributes
  test('bytes that end too early stay visible as they are', async () => {
    await using agent = await agentOf({
      'GET /v1/bgp/routes?afi=ipv4&safi=unicast&table_type=loc-rib': {
        body: [route('', 'x', '180a', [attribute(14, '0001'), { base64: '' }, { base64: 'QAM=' }])],
      },
    });
    const { stdout, code } = await agent.run(['bgp', 'routes', 'available', 'ipv4', 'unicast']);
    expect(stdout).toContain('GAo=');
    expect(stdout).toContain('{Flags: TRANSITIVE, Type: 14, Value: 0001}');
    expect(code).toBe(0);
  });
});

describe('bgp route-policies', () => {
  test.each([
    ['1.17.5', ['b', 'a']],
    ['1.18.4', ['a', 'b']],
  ])('of %s are in the order %j', async (version, names) => {
    const body = ['b', 'a'].map((name) => ({ 'router-asn': 1, name, type: 'export', statements: [] }));
    await using agent = await agentOf({ ...saying(version), 'GET /v1/bgp/route-policies': { body } });
    const { stdout } = await agent.run(['bgp', 'route-policies']);
    expect(stdout.split('\n').slice(1, 3)).toEqual(
      names.map((name) => expect.stringMatching(`^1 +${name} `)),
    );
  });

  test('of 1.20 says how peers, families and prefixes match', async () => {
    const body = [
      {
        'router-asn': 65001,
        name: 'b',
        type: 'export',
        statements: [
          {
            'match-neighbors': { type: 'any', neighbors: ['10.0.0.1', '10.0.0.2'] },
            'match-families': [{ afi: 'ipv4', safi: 'unicast' }],
            'match-prefixes': {
              type: 'any',
              prefixes: [{ cidr: '10.1.0.0/24', 'prefix-len-min': 24, 'prefix-len-max': 32 }],
            },
            'route-action': 'accept',
            'set-local-preference': -1,
            'add-communities': ['65000:99', 'no-export'],
          },
          { 'route-action': 'reject', 'set-local-preference': 100, 'add-large-communities': ['1:2:3'] },
          { 'route-action': 'accept', 'set-local-preference': 0 },
        ],
      },
      { 'router-asn': 65001, name: 'a', type: 'import' },
    ];
    await using agent = await agentOf({ 'GET /v1/bgp/route-policies?router_asn=65001': { body } });
    const { stdout } = await agent.run(['bgp', 'rps', 'vrouter', '65001']);
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'VRouter   Policy Name   Type     Match Peers   Match Families   Match Prefixes (Min..Max Len)   RIB Action   Path Actions',
      '65001     a             import',
      '65001     b             export   (any) {10.0.0.1} {10.0.0.2}   ipv4/unicast   10.1.0.0/24 (24..32)   accept   AddCommunities: [65000:99 no-export]',
      '                                                                                                     reject   {SetLocalPreference: 100} {AddLargeCommunities: [1:2:3]}',
      '                                                                                                     accept   SetLocalPreference: 0',
      '',
    ]);
  });

  // differs: release-forms
  test.each([
    { version: '1.16.5', families: [], end: '   ' },
    { version: '1.17.0-dev', families: [], end: '   ' },
    { version: '1.17.0', families: ['Match Families   ', 'ipv4/unicast     '], end: '   ' },
    { version: '1.18.1', families: ['Match Families   ', 'ipv4/unicast     '], end: '' },
    { version: undefined, families: [], end: '   ' },
  ])('of $version lists peers as they are', async ({ version, families, end }) => {
    const body = [
      {
        'router-asn': 65001,
        name: 'a',
        type: 'export',
        statements: [
          {
            'match-neighbors': ['10.0.0.1/32'],
            ...(families.length > 0 && { 'match-families': [{ afi: 'ipv4', safi: 'unicast' }] }),
            'match-prefixes': [{ cidr: '10.1.0.0/24', 'prefix-len-min': 24, 'prefix-len-max': 24 }],
            'route-action': 'accept',
            'set-local-preference': 200,
          },
        ],
      },
    ];
    await using agent = await agentOf({ ...saying(version), 'GET /v1/bgp/route-policies': { body } });
    const { stdout } = await agent.run(['bgp', 'route-policies']);
    const [title = '', family = ''] = families;
    expect(stdout).toBe(
      [
        `VRouter   Policy Name   Type     Match Peers   ${title}Match Prefixes (Min..Max Len)   RIB Action   Path Actions`,
        `65001     a             export   10.0.0.1/32   ${family}10.1.0.0/24 (24..24)            accept       SetLocalPreference: 200${end}`,
        '',
      ].join('\n'),
    );
  });
});
