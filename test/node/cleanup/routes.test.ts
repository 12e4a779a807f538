import { describe, expect, test } from '@jest/globals';
import type { Family, IpRoute } from '../../../src/model/ip.ts';
import {
  isOwnRouteRecord,
  restoreRoute,
  routeItems,
  routesInTheWay,
  routesLeft,
} from '../../../src/node/cleanup/routes.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import { fakePrograms } from '../../helpers/programs.ts';
import { link, nodeWith, steps } from '../node-state.ts';

/** Devices of Cilium, and one that has the name of a pod's and an address of its own. */
const LINKS = [
  link('cilium_host', 'veth'),
  link('lxc1234567890', 'veth'),
  link('lxc00112233aa', 'veth', {
    addr_info: [{ family: 'inet', local: '192.0.2.1', prefixlen: 24, scope: 'global' }],
  }),
];
const nodeOf = (route: IpRoute, family: Family = 4) =>
  nodeWith({ links: LINKS, routes: [{ family, route }] });

const routesOf = (route: IpRoute, family: Family = 4) => routeItems(nodeOf(route, family));

test.each<[string, IpRoute, string | undefined]>([
  ['to its link', { dst: '10.0.0.0/8', dev: 'cilium_host' }, 'it leads to cilium_host'],
  ['to a pod', { dst: '10.0.0.7', dev: 'lxc1234567890' }, 'it leads to a pod'],
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
  ['for broadcast', { dst: '10.0.0.255', type: 'broadcast', dev: 'lxc1234567890' }, undefined],
  ['for anycast', { dst: 'fd00::', type: 'anycast', dev: 'cilium_host' }, undefined],
  ['of link-local addresses', { dst: 'fe80::/64', dev: 'cilium_host' }, undefined],
  ['to a link with the name of a pod’s', { dst: '10.0.0.7', dev: 'lxc00112233aa' }, undefined],
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
  expect(steps(item, 'restore')).toEqual([`ip -6 route add ${words}`]);
  expect(steps(routesOf({ dst: 'default', type: 'local', dev: 'lo', table: '2004' })[0])).toEqual([
    'ip -4 route del local default dev lo table 2004',
  ]);
});

describe('what undo could not make again', () => {
  test.each<[string, Partial<IpRoute>]>([
    ['encap', { encap: 'ip' }],
    ['nhid', { nhid: 4 }],
    ['via', { via: 'x' }],
    ['realms', { flow: 5 }],
    ['rto_min', { metrics: [{ rto_min: 40 }] }],
    ['quickack', { metrics: [{ quickack: 1 }], locked: ['quickack'] }],
    ['mtu', { metrics: [{ mtu: 'x' }] }],
    ['cwnd_new', { metrics: [{ cwnd_new: 1 }] }],
    ['pervasive', { flags: ['pervasive'] }],
    ['flags_new', { nexthops: [{ dev: 'cilium_host', flags_new: 1 }] }],
  ])('a route with %s stays, and the plan says so', (field, more) => {
    const state = nodeOf({ dst: '10.1.0.0/24', dev: 'cilium_host', ...more });
    expect(routeItems(state)).toEqual([]);
    expect(routesLeft(state)).toEqual([
      expect.stringMatching(`^IPv4 route 10.1.0.0/24 .*: undo could not bring back ${field}$`),
    ]);
    // Its device cannot go either.
    expect(routesInTheWay(state, 'cilium_host')).toEqual([expect.stringContaining('10.1.0.0/24')]);
  });

  test('a route of somebody else with a hop over a device of Cilium keeps the device', () => {
    const nexthops = [
      { dev: 'cilium_host', weight: 1, flags: [] },
      { dev: 'eth0', weight: 1, flags: [] },
    ];
    const state = nodeOf({ dst: '10.1.0.0/24', nexthops });
    expect(routeItems(state)).toEqual([]);
    expect(routesInTheWay(state, 'cilium_host')).toHaveLength(1);
    expect(routesInTheWay(state, 'lxc1234567890')).toEqual([]);
  });
});

test.each<[string, Partial<IpRoute>, string]>([
  ['metrics', { metrics: [{ mtu: 1450, advmss: 1410 }] }, 'mtu 1450 advmss 1410'],
  ['locked metrics', { metrics: [{ mtu: 1450, rtt: 10 }], locked: ['mtu'] }, 'mtu lock 1450 rtt 10ms'],
  ['a lock that ip sets by itself', { metrics: [{ rto_min: 40 }], locked: ['rto_min'] }, 'rto_min 40ms'],
  ['an algorithm', { metrics: [{ congestion: 'cubic', ecn: null }] }, 'congctl cubic features ecn'],
  ['a preference', { pref: 'high' }, 'pref high'],
  ['realms', { flow: { from: '4', to: '5' } }, 'realms 4/5'],
])('a route with %s is written in full', (_what, more, words) => {
  const route = { dst: '10.1.0.0/24', dev: 'cilium_host', ...more };
  const [item] = routesOf(route);
  expect(steps(item, 'restore')).toEqual([`ip -4 route add 10.1.0.0/24 dev cilium_host ${words}`]);
  expect(routesLeft(nodeOf(route))).toEqual([]);
});

test('a route with several hops, and one through a gateway of the other family, are written in full', () => {
  const via = { family: 'inet6', host: 'fe80::1' };
  const nexthops = [
    { dev: 'cilium_host', weight: 2, flags: ['linkdown'] },
    { gateway: '10.0.0.1', dev: 'cilium_host', weight: 3, flags: ['onlink'] },
  ];
  expect(steps(routesOf({ dst: '10.1.2.0/24', via, dev: 'cilium_host', tos: '0x10' })[0])).toEqual([
    'ip -4 route del 10.1.2.0/24 tos 0x10 via inet6 fe80::1 dev cilium_host',
  ]);
  expect(steps(routesOf({ dst: '10.1.4.0/24', nexthops })[0], 'restore')).toEqual([
    'ip -4 route add 10.1.4.0/24 nexthop dev cilium_host weight 2 nexthop via 10.0.0.1 dev cilium_host weight 3 onlink',
  ]);
});

test.each<[string, IpRoute, boolean]>([
  ['to a link of Cilium', { dst: '10.1.0.0/24', dev: 'cilium_host' }, true],
  ['to a pod', { dst: '10.1.0.0/24', dev: 'lxc1234567890' }, true],
  ['to elsewhere', { dst: '10.1.0.0/24', dev: 'eth0' }, false],
  ['with words of its own', { dst: '10.1.0.0/24', dev: 'cilium_host', gateway: '-netns' }, false],
  ['without a destination', { dst: 5 as unknown as string, dev: 'cilium_host' }, false],
])('a recorded route %s is taken: %s', (_what, route, taken) => {
  expect(isOwnRouteRecord({ bring: 'route', family: 4, route })).toBe(taken);
});

describe('a route comes back', () => {
  const step = {
    bring: 'route',
    family: 4,
    route: { dst: '10.1.0.0/24', dev: 'cilium_host', flags: [] },
  } as const;
  /** What was asked of ip, where it lists these routes before and after the first change. */
  const ran = async (before: object[], after: object[]) => {
    const say = (routes: object[]) =>
      `case "$*" in *-j*) echo '${JSON.stringify(routes)}';; *) ${routes.map((_, i) => `echo ${i} dev`).join('; ') || ':'};; esac`;
    using programs = fakePrograms({
      ip: `here=$(dirname $0); case "$*" in *add*) touch $here/added; exit 0;; esac
if [ -e $here/added ]; then ${say(after)}; else ${say(before)}; fi`,
    });
    const run = systemRun({ PATH: programs.path });
    const result = await restoreRoute({ ...step, route: { ...step.route, flags: [] } }, run).catch(
      (error: Error) => error.message,
    );
    return { result, added: programs.calls().filter((call) => call.includes(' add ')) };
  };
  const added = ['ip -4 route add 10.1.0.0/24 dev cilium_host'];

  test('when it is missing, and is compared', async () => {
    const other = { ...step.route, metric: 5 };
    expect(await ran([other], [other, step.route])).toEqual({ result: true, added });
    expect(await ran([], [other])).toEqual({
      result: 'it came back in another form: compare "ip -d route show table all"',
      added,
    });
  });

  test('and is left where it stands, though its link be down', async () => {
    const down = { ...step.route, flags: ['linkdown'] };
    expect(await ran([down], [])).toEqual({ result: false, added: [] });
  });
});
