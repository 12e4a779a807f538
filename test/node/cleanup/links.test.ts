import { describe, expect, test } from '@jest/globals';
import type { IpLink } from '../../../src/model/ip.ts';
import { linkItems, linksLeft } from '../../../src/node/cleanup/links.ts';
import type { NodeState } from '../../../src/node/state/state.ts';
import { link, nodeWith, steps } from '../node-state.ts';

test.each([
  ['cilium_host', 'veth', true],
  ['cilium', 'dummy', false],
  ['cilium_x', 'veth', false],
  ['cilium_host2', 'veth', false],
  ['cilium_vxlan', 'veth', false],
  ['cilium_tunl', 'ipip', true],
  ['cilium_wg0', 'wireguard', true],
  ['cilium_vxlan', 'vxlan', true],
  ['cilium_geneve', 'geneve', true],
  ['cilium_ipip4', 'ipip', true],
  ['cilium_ipip6', 'ip6tnl', true],
  ['lxc8a23dd6694', 'veth', true],
  ['lxc8a23dd6694', 'netkit', true],
  ['lxc0123456789ab', 'veth', true],
  ['lxcdeadbeef', 'veth', false],
  ['lxc_health', 'veth', true],
  ['cilium_host', 'bridge', false],
  ['cilium_host', undefined, false],
  ['ciliumx', 'veth', false],
  ['xcilium_host', 'veth', false],
  ['lxcbr0', 'bridge', false],
  ['lxc1234567', 'veth', false],
  ['lxc1234567890abc', 'veth', false],
  ['lxcabcdefgh', 'veth', false],
  ['xlxc12345678', 'veth', false],
  ['eth0', 'veth', false],
])('a link %s of kind %s is Cilium’s: %s', (name, kind, own) => {
  const items = linkItems(nodeWith({ links: [link(name, kind)] }));
  expect(items.flatMap((item) => steps(item))).toEqual(own ? [`ip link del dev ${name}`] : []);
  if (own)
    expect(items[0]).toMatchObject({
      what: `${name} (${kind})`,
      why: name.startsWith('lxc')
        ? "it is the host's end of a pod's link"
        : "it has the name and kind of Cilium's",
    });
});

test.each([
  ['cilium', false],
  ['cilium-health', true],
  ['cilium-dev', false],
  ['cilium_lab', false],
  ['ciliumx', false],
  ['my-cilium', false],
])('a network namespace %s is Cilium’s: %s', (name, own) => {
  const items = linkItems(nodeWith({ netns: [name] }));
  expect(items.flatMap((item) => steps(item))).toEqual(own ? [`ip netns del ${name}`] : []);
});

test('a link with the name of a pod’s that has a bridge or an address is somebody else’s', () => {
  const address = (scope: string) => [{ family: 'inet', local: '192.0.2.1', prefixlen: 24, scope }];
  const pod = (more: Partial<IpLink>) =>
    linkItems(nodeWith({ links: [link('lxc8a23dd6694', 'veth', more)] }));
  expect(pod({ addr_info: address('link') })).toHaveLength(1);
  expect(pod({ addr_info: address('global') })).toEqual([]);
  expect(pod({ master: 'lxcbr0' })).toEqual([]);
});

describe('what of somebody else would go with a link keeps it', () => {
  const host = link('cilium_host', 'veth', { ifindex: 3, link: 'cilium_net' });
  const net = link('cilium_net', 'veth', { ifindex: 2, link: 'cilium_host' });
  const filter = {
    device: 'cilium_net',
    place: 'ingress',
    qdisc: 'clsact',
    chain: 0,
    protocol: 'all',
    pref: 7,
    handle: '0x1',
  } as const;
  const program = { id: 1, type: 'tcx', programId: 1 };
  test.each<[string, Partial<NodeState>]>([
    ['it belongs to br0', { links: [{ ...host, master: 'br0' }, net] }],
    ['vlan7 stands on it', { links: [host, net, link('vlan7', 'vlan', { link: 'cilium_host' })] }],
    ['the BPF programs on it could not be read', { bpfUnknown: true }],
    ['its routes could not be read', { linksUnknown: ['routes'] }],
    ['its addresses could not be read', { linksUnknown: ['addresses'] }],
    ['its neighbours could not be read', { linksUnknown: ['neighbours'] }],
    ['its tc filters could not be read', { tcUnknown: ['cilium_net'] }],
    [
      'a tc filter of somebody else is on it (u32, preference 7)',
      { tcFilters: [{ ...filter, kind: 'u32', programNames: [] }] },
    ],
    [
      'a program of somebody else is on it (probe)',
      { bpfLinks: [{ ...program, programName: 'probe', ifindex: 3 }] },
    ],
    [
      'an XDP program of somebody else is on it (probe)',
      { xdpPrograms: [{ device: 'cilium_host', mode: 'driver', programName: 'probe' }] },
    ],
    [
      'undo could not bring back IPv4 route 10.1.0.0/24 dev cilium_host',
      { routes: [{ family: 4, route: { dst: '10.1.0.0/24', dev: 'cilium_host', encap: 'ip' } }] },
    ],
  ])('%s', (why, parts) => {
    const state = nodeWith({ links: [host, net], ...parts });
    expect(linkItems(state)).toEqual([]);
    // Neither end of the pair: they go together.
    expect(linksLeft(state)).toEqual([`link cilium_host: ${why}`, `link cilium_net: ${why}`]);
  });

  test('and what is Cilium’s does not', () => {
    const state = nodeWith({
      links: [host, net],
      tcFilters: [{ ...filter, kind: 'bpf', programNames: ['cil_to_host'] }],
      bpfLinks: [{ ...program, programName: 'cil_to_host', ifindex: 3 }],
      routes: [{ family: 4, route: { dst: '10.1.0.0/24', dev: 'cilium_host' } }],
    });
    expect(linkItems(state)).toHaveLength(2);
    expect(linksLeft(state)).toEqual([]);
  });
});

test('links and namespaces that are only named like Cilium’s stay, and are told of', () => {
  const links = [link('cilium_x', 'veth'), link('lxcdeadbeef', 'veth'), link('lxcbr0', 'bridge')];
  expect(linksLeft(nodeWith({ links, netns: ['cilium-dev', 'web'] }))).toEqual([
    'link cilium_x (veth): not as Cilium makes its own',
    'link lxcdeadbeef (veth): not as Cilium makes its own',
    'network namespace cilium-dev: no release of Cilium makes one of this name',
  ]);
});

describe('is made again', () => {
  const forever = { valid_life_time: 4294967295, preferred_life_time: 4294967295 };
  const addresses = [
    { family: 'inet', local: '10.0.0.1', prefixlen: 32, scope: 'link', label: 'cilium_host', ...forever },
    { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link', ...forever },
    {
      family: 'inet6',
      local: 'fd00::1',
      prefixlen: 128,
      scope: 'global',
      nodad: true,
      tentative: true,
      ...forever,
    },
    {
      family: 'inet',
      local: '10.0.0.2',
      prefixlen: 24,
      broadcast: '10.0.0.255',
      scope: 'global',
      label: 'cilium_host:x',
    },
    { family: 'inet', local: '10.0.0.3', address: '10.0.9.9', prefixlen: 32, scope: 'global' },
  ];
  const host = (more: Partial<IpLink> = {}) =>
    link('cilium_host', 'veth', { ifindex: 3, link: 'cilium_net', flags: [], ...more });
  const net = (more: Partial<IpLink> = {}) =>
    link('cilium_net', 'veth', { ifindex: 2, link: 'cilium_host', flags: [], ...more });
  const restored = (...links: IpLink[]) => {
    const [item] = linkItems(nodeWith({ links }));
    return item?.restore && steps(item, 'restore');
  };

  test('the pair of the host, with all that is told of both ends', () => {
    const ends = [
      host({
        address: 'aa:aa',
        mtu: 1500,
        txqlen: 900,
        ifalias: 'x',
        flags: ['MULTICAST', 'UP', 'LOWER_UP'],
        addr_info: addresses,
      }),
      net({ address: 'bb:bb', group: 'default', inet6_addr_gen_mode: 'none', flags: ['NOARP', 'BROADCAST'] }),
    ];
    const expected = [
      'ip link add index 3 name cilium_host address aa:aa mtu 1500 txqueuelen 900 arp on multicast on allmulticast off promisc off type veth peer index 2 name cilium_net address bb:bb arp off multicast off allmulticast off promisc off',
      'ip link set dev cilium_host alias x',
      'ip link set dev cilium_host up',
      'ip link set dev cilium_net addrgenmode none',
      'ip addr add 10.0.0.1/32 dev cilium_host scope link',
      'ip addr add fd00::1/128 dev cilium_host scope global nodad',
      'ip addr add 10.0.0.2/24 dev cilium_host broadcast 10.0.0.255 scope global label cilium_host:x',
      'ip addr add 10.0.0.3 peer 10.0.9.9/32 dev cilium_host scope global',
    ];
    expect(restored(...ends)).toEqual(expected);
    // Whichever end is listed first.
    expect(restored(...ends.toReversed())).toEqual(expected);
  });

  test('with its permanent neighbours', () => {
    const entry = { dst: '10.0.0.9', dev: 'cilium_host', lladdr: '02:00:00:00:00:01', state: ['PERMANENT'] };
    const [item] = linkItems(
      nodeWith({ links: [host(), net()], neighbours: [entry, { ...entry, dev: 'eth0' }] }),
    );
    expect(steps(item, 'restore').slice(1)).toEqual([
      'ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:01 dev cilium_host nud permanent',
    ]);
  });

  test('a tunnel that takes its ends from the packets', () => {
    const tunnel = (data: object, kind = 'vxlan') =>
      restored(
        link(`cilium_${kind}`, kind, { flags: [], linkinfo: { info_kind: kind, info_data: { ...data } } }),
      )?.map((line) => line.replace(/ arp on .* type/, ' type'));
    const range = { low: 40000, high: 50000 };
    const full = {
      external: true,
      id: 0,
      port_range: range,
      port: 8472,
      learning: false,
      ttl: 0,
      df: 'unset',
      ageing: 300,
      udp_csum: true,
      udp_zero_csum6_tx: false,
      udp_zero_csum6_rx: true,
    };
    expect(tunnel(full)).toEqual([
      'ip link add index 1 name cilium_vxlan type vxlan external srcport 40000 50000 dstport 8472 udpcsum noudp6zerocsumtx udp6zerocsumrx',
    ]);
    expect(tunnel({ external: true, port: 6081 }, 'geneve')?.[0]).toContain(
      'type geneve external dstport 6081',
    );
    expect(tunnel({ port: 8472 })).toBeUndefined();
    expect(tunnel({ ...full, ageing: 301 })).toBeUndefined();
    expect(tunnel({ ...full, vlan: 4 })).toBeUndefined();
  });

  test('no other, and none of which something cannot be written', () => {
    expect(restored(link('cilium_host', 'dummy'))).toBeUndefined();
    expect(restored(link('lxc8a23dd6694', 'veth'))).toBeUndefined();
    expect(restored(link('cilium_net', 'netkit'))).toBeUndefined();
    // Its other end is in another namespace.
    expect(restored(host())).toBeUndefined();
    expect(restored(host({ flags: ['DYNAMIC'] }), net())).toBeUndefined();
    const passing = { family: 'inet6', local: 'fd00::2', prefixlen: 64, valid_life_time: 100 };
    expect(restored(host({ addr_info: [passing] }), net())).toBeUndefined();
  });
});
