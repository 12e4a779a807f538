import { describe, expect, test } from '@jest/globals';
import { routeItems, routesLeft, ruleItems } from '../../../src/node/cleanup/routes.ts';
import type { Family, IpRoute, IpRule } from '../../../src/node/state/state.ts';
import { nodeWith, steps } from '../node-state.ts';

const routesOf = (route: IpRoute, family: Family = 4) =>
  routeItems(nodeWith({ routes: [{ family, route }] }));
const rulesOf = (rules: IpRule[], routes: IpRoute[] = [], family: Family = 4) =>
  ruleItems(
    nodeWith({
      rules: rules.map((rule) => ({ family, rule })),
      routes: routes.map((route) => ({ family, route })),
    }),
  );

test.each<[string, IpRoute, string | undefined]>([
  ['to its link', { dst: '10.0.0.0/8', dev: 'cilium_host' }, 'it leads to cilium_host'],
  ['to a pod', { dst: '10.0.0.7', dev: 'lxc12345678' }, 'it leads to a pod'],
  [
    'of the proxy',
    { dst: 'default', type: 'local', dev: 'lo', table: '2004' },
    'table 2004 is the way to the proxy',
  ],
  [
    'from the proxy',
    { dst: 'default', dev: 'cilium_host', table: '2005' },
    'table 2005 is the way from the proxy',
  ],
  ['of the table of the proxy to elsewhere', { dst: 'default', dev: 'eth0', table: '2005' }, undefined],
  [
    'of that table by another device',
    { dst: 'default', type: 'local', dev: 'eth0', table: '2004' },
    undefined,
  ],
  [
    'of that table to another place',
    { dst: '10.0.0.0/8', type: 'local', dev: 'lo', table: '2004' },
    undefined,
  ],
  ['of that table of another type', { dst: 'default', dev: 'lo', table: '2004' }, undefined],
  ['of the kernel', { dst: '10.0.0.1', type: 'local', dev: 'cilium_host', table: 'local' }, undefined],
  ['in the local table', { dst: '10.0.0.1', dev: 'cilium_host', table: 'local' }, undefined],
  ['for multicast', { dst: 'ff00::/8', type: 'multicast', dev: 'cilium_host' }, undefined],
  ['for broadcast', { dst: '10.0.0.255', type: 'broadcast', dev: 'lxc12345678' }, undefined],
  ['for anycast', { dst: 'fd00::', type: 'anycast', dev: 'cilium_host' }, undefined],
  ['of link-local addresses', { dst: 'fe80::/64', dev: 'cilium_host' }, undefined],
  ['to elsewhere', { dst: '10.0.0.0/8', dev: 'eth0' }, undefined],
  ['without a device', { dst: '10.0.0.0/8', type: 'unreachable' }, undefined],
])('a route %s: why it is Cilium’s', (_, route, why) => {
  expect(routesOf(route)[0]?.why).toBe(why);
});

test('a route is removed and brought back with all that it says', () => {
  const [item] = routesOf(
    {
      dst: 'fd00::/96',
      type: 'unicast',
      gateway: 'fd00::1',
      dev: 'cilium_host',
      protocol: 'kernel',
      scope: 'link',
      prefsrc: 'fd00::2',
      metric: 5,
      flags: ['linkdown', 'onlink'],
      table: '2005',
    },
    6,
  );
  const words =
    'fd00::/96 via fd00::1 dev cilium_host onlink proto kernel scope link src fd00::2 metric 5 table 2005';
  expect(item?.what).toBe(`IPv6 route ${words}`);
  expect(steps(item)).toEqual([`ip -6 route del ${words}`]);
  expect(steps(item, 'restore')).toEqual([`ip -6 route replace ${words}`]);
  expect(steps(routesOf({ dst: 'default', type: 'local', dev: 'lo', table: '2004' })[0])).toEqual([
    'ip route del local default dev lo table 2004',
  ]);
});

describe('a rule', () => {
  test.each([
    ['0x200', '0xf00', '2004', true],
    ['0xa00', '0xf00', '2005', true],
    ['0xb00', '0xf00', '2005', true],
    ['0xd00', '0xf00', '200', true],
    ['0xe00', '0xf00', '200', true],
    ['0x200', '0xffff', '2004', false],
    ['0x200', '0xf00', '2005', false],
    ['0xc00', '0xf00', '200', false],
    ['0x200', undefined, '2004', false],
  ])('with the mark %s/%s and table %s is Cilium’s: %s', (fwmark, fwmask, table, own) => {
    const [item] = rulesOf([{ priority: 9, src: 'all', fwmark, table, ...(fwmask && { fwmask }) }]);
    const words = `pref 9 fwmark ${fwmark}/${fwmask} lookup ${table}`;
    expect(steps(item)).toEqual(own ? [`ip rule del ${words}`] : []);
    expect(steps(item, 'restore')).toEqual(own ? [`ip rule add ${words}`] : []);
  });

  test('for the address of a pod of this node is known by its priority', () => {
    const routes: IpRoute[] = [
      { dst: '10.0.0.7/32', dev: 'lxc12345678' },
      { dst: '10.0.0.9', dev: 'eth0' },
    ];
    const words = (rule: IpRule) => rulesOf([rule], routes).flatMap((item) => steps(item));
    expect(words({ priority: 20, src: 'all', dst: '10.0.0.7', table: 'main' })).toEqual([
      'ip rule del pref 20 to 10.0.0.7 lookup main',
    ]);
    expect(words({ priority: 110, src: '10.0.0.7', dst: '10.0.0.0', dstlen: 8, table: '11' })).toEqual([
      'ip rule del pref 110 from 10.0.0.7 to 10.0.0.0/8 lookup 11',
    ]);
    expect(words({ priority: 111, src: '10.0.0.7', table: '11' })).toHaveLength(1);
    expect(words({ priority: 112, src: '10.0.0.7', table: '11' })).toEqual([]);
    expect(words({ priority: 111, src: '10.0.0.9', table: '11' })).toEqual([]);
    const six = rulesOf(
      [{ priority: 20, src: 'fd00::7', iif: 'a', oif: 'b', fwmark: '0x1', protocol: 'x' }],
      [{ dst: 'fd00::7/128', dev: 'lxc12345678' }],
      6,
    );
    expect(six.map(({ what }) => what)).toEqual([
      'IPv6 rule pref 20 from fd00::7 fwmark 0x1 iif a oif b protocol x',
    ]);
    expect(steps(six[0])).toEqual(['ip -6 rule del pref 20 from fd00::7 fwmark 0x1 iif a oif b protocol x']);
  });

  test('for local addresses goes back to the place from which Cilium moved it', () => {
    const moved: IpRule = { priority: 100, src: 'all', table: 'local' };
    const [item] = rulesOf([moved]);
    expect(steps(item)).toEqual(['ip rule add pref 0 lookup local', 'ip rule del pref 100 lookup local']);
    expect(steps(item, 'restore')).toEqual([
      'ip rule add pref 100 lookup local',
      'ip rule del pref 0 lookup local',
    ]);
    for (const other of [
      { ...moved, priority: 101 },
      { ...moved, table: 'main' },
      { ...moved, src: '10.0.0.1' },
      { ...moved, fwmark: '0x1' },
    ])
      expect(rulesOf([other])).toEqual([]);
    const first: IpRule = { priority: 0, src: 'all', table: 'local' };
    expect(rulesOf([first, moved])).toEqual([]);
    // The families have rules of their own.
    const both = ruleItems(
      nodeWith({
        rules: [
          { family: 6, rule: first },
          { family: 4, rule: moved },
        ],
      }),
    );
    expect(both.map(({ id }) => id)).toEqual(['rule 4 pref 100 lookup local']);
  });
});

describe('what undo could not make again', () => {
  const mark = { fwmark: '0x200', fwmask: '0xf00', table: '2004' };

  test.each([
    ['not', null],
    ['ipproto', 'tcp'],
    ['sport', 5000],
    ['dport', 80],
    ['uid_start', 0],
    ['tun_id', 7],
    ['l3mdev', null],
    ['goto', 100],
  ])('a rule with %s is no rule of Cilium', (field, value) => {
    expect(rulesOf([{ priority: 9, ...mark, [field]: value }])).toEqual([]);
    expect(rulesOf([{ priority: 9, ...mark }])).toHaveLength(1);
  });

  test.each<[string, Partial<IpRoute>]>([
    ['nexthops', { nexthops: [{ gateway: '10.0.0.1' }] }],
    ['encap', { encap: 'ip' }],
    ['nhid', { nhid: 4 }],
    ['rto_min', { metrics: [{ mtu: 1450, rto_min: 40 }] }],
    ['mtu', { metrics: [{ mtu: 'lock 1400' }] }],
    ['pref', { pref: 'high' }],
    ['pervasive', { flags: ['pervasive'] }],
  ])('a route with %s stays, and the plan says so', (field, more) => {
    const state = nodeWith({
      routes: [{ family: 4, route: { dst: '10.1.0.0/24', dev: 'cilium_host', ...more } }],
    });
    expect(routeItems(state)).toEqual([]);
    expect(routesLeft(state)).toEqual([
      expect.stringMatching(`^IPv4 route 10.1.0.0/24 .*: undo could not bring back ${field}$`),
    ]);
  });

  test('a route with plain metrics and a gateway of the other family is written in full', () => {
    const route = {
      dst: '10.1.0.0/24',
      dev: 'cilium_host',
      via: { family: 'inet6', host: 'fe80::1' },
      flags: ['linkdown'],
      metrics: [{ mtu: 1450, advmss: 1410 }],
    };
    const [item] = routesOf(route);
    expect(steps(item)).toEqual([
      'ip route del 10.1.0.0/24 via inet6 fe80::1 dev cilium_host mtu 1450 advmss 1410',
    ]);
    expect(routesLeft(nodeWith({ routes: [{ family: 4, route }] }))).toEqual([]);
  });
});
