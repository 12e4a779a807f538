import { describe, expect, test } from '@jest/globals';
import { linkItems } from '../../../src/node/cleanup/links.ts';
import { link, nodeWith, steps } from '../node-state.ts';

test.each([
  ['cilium_host', 'veth', true],
  ['cilium', 'dummy', true],
  ['cilium_wg0', 'wireguard', true],
  ['cilium_vxlan', 'vxlan', true],
  ['cilium_geneve', 'geneve', true],
  ['cilium_ipip4', 'ipip', true],
  ['cilium_ipip6', 'ip6tnl', true],
  ['lxc8a23dd6694', 'veth', true],
  ['lxc12345678', 'netkit', true],
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
      why: name.startsWith('lxc') ? "it is the host's end of a pod's link" : 'its name starts with cilium',
    });
});

test.each([
  ['cilium', true],
  ['cilium-health', true],
  ['cilium_x', true],
  ['ciliumx', false],
  ['my-cilium', false],
])('a network namespace %s is Cilium’s: %s', (name, own) => {
  const items = linkItems(nodeWith({ netns: [name] }));
  expect(items.flatMap((item) => steps(item))).toEqual(own ? [`ip netns del ${name}`] : []);
});

describe('is made again', () => {
  const restored = (index: number, ...links: Parameters<typeof link>[]) => {
    const items = linkItems(nodeWith({ links: links.map((args) => link(...args)) }));
    return items[index]?.restore === undefined ? undefined : steps(items[index], 'restore');
  };
  const addresses = [
    { family: 'inet', local: '10.0.0.1', prefixlen: 32, scope: 'link' },
    { family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' },
    { family: 'inet6', local: 'fd00::1', prefixlen: 128, scope: 'global' },
    { family: 'inet', local: '10.0.0.2', prefixlen: 24 },
  ];

  test('the pair of the host, with the hardware addresses of both ends', () => {
    const host = ['cilium_host', 'veth', { address: 'aa:aa', mtu: 1500, addr_info: addresses }] as const;
    expect(restored(0, [...host], ['cilium_net', 'veth', { address: 'bb:bb' }])).toEqual([
      'ip link add name cilium_host address aa:aa type veth peer name cilium_net address bb:bb',
      'ip addr replace 10.0.0.1/32 dev cilium_host scope link',
      'ip addr replace fd00::1/128 dev cilium_host scope global',
      'ip addr replace 10.0.0.2/24 dev cilium_host',
      'ip link set dev cilium_host mtu 1500 up',
    ]);
    expect(restored(0, ['cilium_host', 'veth'])).toEqual([
      'ip link add name cilium_host type veth peer name cilium_net',
      'ip link set dev cilium_host up',
    ]);
    // The other end comes with the first.
    expect(restored(0, ['cilium_net', 'veth'])).toEqual(['ip link set dev cilium_net up']);
  });

  test('a tunnel that takes its ends from the packets', () => {
    const vxlan = (data: object, kind = 'vxlan') =>
      restored(0, [`cilium_${kind}`, kind, { linkinfo: { info_kind: kind, info_data: { ...data } } }]);
    expect(vxlan({ external: true, port: 8472 })?.[0]).toBe(
      'ip link add name cilium_vxlan type vxlan dstport 8472 external',
    );
    expect(vxlan({ external: true }, 'geneve')).toEqual([
      'ip link add name cilium_geneve type geneve external',
      'ip link set dev cilium_geneve up',
    ]);
    expect(vxlan({ port: 8472 })).toBeUndefined();
    expect(vxlan({ external: true }, 'ipip')).toBeUndefined();
  });

  test('no other', () => {
    expect(restored(0, ['cilium_host', 'dummy'])).toBeUndefined();
    expect(restored(0, ['lxc12345678', 'veth'])).toBeUndefined();
    expect(restored(0, ['cilium_net', 'netkit'])).toBeUndefined();
  });
});
