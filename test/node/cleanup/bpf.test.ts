import { describe, expect, test } from '@jest/globals';
import { attachmentItems, bpfLeft, pinItems, tcItems } from '../../../src/node/cleanup/bpf.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
import type { NodeFile, TcFilter } from '../../../src/node/state/state.ts';
import { link, nodeWith, steps } from '../node-state.ts';

const filter = (device: string, programNames: string[], more: Partial<TcFilter> = {}): TcFilter => ({
  device,
  place: 'ingress',
  qdisc: 'clsact',
  kind: 'bpf',
  chain: 0,
  protocol: 'all',
  pref: 1,
  handle: '0x1',
  programNames,
  ...more,
});

test.each([
  ['cil_from_netdev', true],
  ['bpf_lxc.o:[from-container]', true],
  ['bpf_host_7.o', true],
  ['bpf_netdev_eth0.o', true],
  ['bpf_netdev_eth0.100.o:[from-netdev]', true],
  ['cil_from_contai', true],
  ['cil_from_container-lxc8a23dd6694', true],
  ['cil_sock6_post_b', false],
  ['cil_sock6_post_', true],
  ['cil_lxc_policy_egress', true],
  ['cil_user_probe', false],
  ['cil_from_contain', false],
  ['cil_from_container2', false],
  ['not_cil_from_netdev', false],
  ['bpf_lxc', false],
  ['bpf_lxc.old', false],
  ['bpf_other.o', false],
  ['bpf_network_monitor.o', false],
  ['bpf_lxc_probe.o', false],
  ['bpf_xdp_filter.o', false],
])('a program named %s is Cilium’s: %s', (name, own) => {
  expect(tcItems(nodeWith({ tcFilters: [filter('eth0', [name])] }))).toHaveLength(own ? 1 : 0);
  const elsewhere = attachmentItems(
    nodeWith({
      xdpPrograms: [{ device: 'eth0', mode: 'driver', programName: name }],
      bpfLinks: [{ id: 3, type: 'tcx', programId: 1, programName: name, ifindex: 1 }],
      cgroupPrograms: [{ cgroup: '/cg', programId: 9, programName: name, attachType: 'cgroup_inet4_bind' }],
    }),
  );
  expect(elsewhere.map(({ kind }) => kind)).toEqual(own ? ['xdp', 'bpf-link', 'cgroup-program'] : []);
});

describe('a filter of tc', () => {
  test('is known by any of its names, and removed by all that tells it from others', () => {
    const [item] = tcItems(
      nodeWith({
        tcFilters: [
          filter('eth0', ['main', 'cil_to_netdev'], {
            place: 'egress',
            pref: 7,
            handle: '0x2',
            protocol: 'ip',
          }),
          filter('eth0', ['other']),
        ],
      }),
    );
    expect(item).toMatchObject({
      id: 'tc-filter eth0 egress 7 ip 0x2 main',
      what: 'main on eth0 (tc egress)',
    });
    expect(steps(item)).toEqual(['tc filter del dev eth0 egress pref 7 protocol ip handle 0x2 bpf']);
  });

  test('has an id of its own, whatever it shares with another one', () => {
    const some = [{}, { chain: 3 }, { protocol: 'ip' }, { pref: 2 }, { handle: '0x2' }, { device: 'eth1' }];
    const tcFilters = some.map((more) => filter('eth0', ['cil_from_netdev'], more));
    expect(new Set(tcItems(nodeWith({ tcFilters })).map(({ id }) => id)).size).toBe(some.length);
  });

  test('takes the qdisc of its device along when it is the last one', () => {
    const items = tcItems(
      nodeWith({
        tcFilters: [
          filter('eth0', ['cil_to_host']),
          filter('eth0', ['cil_from_host'], { place: 'egress' }),
          filter('eth1', ['cil_to_host']),
          filter('eth1', ['other'], { place: 'egress' }),
        ],
      }),
    );
    expect(items.map((item) => steps(item).slice(1))).toEqual([[], ['tc qdisc del dev eth0 clsact'], []]);
  });
});

test('filters of a block that devices share go by its number, once, and the qdiscs that lead to one stay', () => {
  const shared = (device: string) => filter(device, ['cil_from_netdev'], { block: 22, pref: 3 });
  const tcFilters = [shared('eth1'), shared('eth2'), filter('eth3', ['cil_to_netdev'])];
  const items = tcItems(nodeWith({ tcFilters, tcShared: ['eth1', 'eth2', 'eth3'] }));
  expect(items.map((item) => [item.what, ...steps(item)])).toEqual([
    ['cil_from_netdev on block 22 (tc)', 'tc filter del block 22 pref 3 protocol all handle 0x1 bpf'],
    [
      'cil_to_netdev on eth3 (tc ingress)',
      'tc filter del dev eth3 ingress pref 1 protocol all handle 0x1 bpf',
    ],
  ]);
});

test('filters elsewhere than in clsact go without the qdisc that somebody else has made, and hold up no clsact', () => {
  const own = (device: string, place: TcFilter['place'], qdisc: string) =>
    filter(device, ['cil_from_netdev'], { place, qdisc });
  const tcFilters = [
    own('eth0', 'ingress', 'ingress'),
    own('eth1', 'ingress', 'clsact'),
    own('eth1', 'parent 1:', 'htb'),
    filter('eth1', ['other'], { place: 'parent 1:1', qdisc: 'htb' }),
  ];
  const items = tcItems(nodeWith({ tcFilters }));
  expect(items.map(({ id }) => id.replace(/ 1 all .*/, ''))).toEqual([
    ...['tc-filter eth0 ingress', 'tc-filter eth1 ingress', 'tc-filter eth1 parent 1:'],
  ]);
  expect(items.map((item) => steps(item))).toEqual([
    ['tc filter del dev eth0 ingress pref 1 protocol all handle 0x1 bpf'],
    ['tc filter del dev eth1 ingress pref 1 protocol all handle 0x1 bpf', 'tc qdisc del dev eth1 clsact'],
    ['tc filter del dev eth1 parent 1: pref 1 protocol all handle 0x1 bpf'],
  ]);
});

test('programs on devices, links and cgroups are named by where they are', () => {
  const items = attachmentItems(
    nodeWith({
      links: [link('lo', undefined, { ifindex: 1 }), link('eth0', undefined, { ifindex: 4 })],
      xdpPrograms: ['driver', 'generic', 'offload', ''].map((mode) => ({
        device: 'eth0',
        mode,
        programName: 'cil_xdp_entry',
      })),
      bpfLinks: [
        { id: 8, type: 'tcx', programId: 1, programName: 'cil_to_netdev', ifindex: 4 },
        { id: 9, type: 'cgroup', programId: 2, programName: 'cil_sock_release', ifindex: undefined },
      ],
      cgroupPrograms: [
        { cgroup: '/cg', programId: 5, programName: 'cil_sock4_post_bind', attachType: 'bind4' },
      ],
    }),
  );
  expect(items.map(({ id, what }) => `${id} = ${what}`)).toEqual([
    ...['driver', 'generic', 'offload'].map(
      (mode) => `xdp eth0 ${mode} cil_xdp_entry = cil_xdp_entry on eth0 (XDP ${mode})`,
    ),
    'xdp eth0 cil_xdp_entry = cil_xdp_entry on eth0 (XDP)',
    'bpf-link 8 = cil_to_netdev (link 8, tcx on eth0)',
    'bpf-link 9 = cil_sock_release (link 9, cgroup)',
    'cgroup-program /cg bind4 5 = cil_sock4_post_bind on /cg (bind4)',
  ]);
  expect(items.flatMap((item) => steps(item))).toEqual([
    'ip link set dev eth0 xdpdrv off',
    'ip link set dev eth0 xdpgeneric off',
    'ip link set dev eth0 xdpoffload off',
    'ip link set dev eth0 xdp off',
    'detach-link 8',
    'detach-link 9',
    'bpftool cgroup detach /cg bind4 id 5',
  ]);
});

describe('pins', () => {
  const file = (path: string, kind: NodeFile['kind'] = 'pin'): NodeFile => ({ path, kind, size: 0 });

  test('are those in Cilium’s folder, and those with its name elsewhere below the bpffs', () => {
    const items = pinItems(
      nodeWith({
        files: [
          file('/sys/fs/bpf/tc/globals/cilium_lxc'),
          file('/sys/fs/bpf/cilium_rootmap'),
          file('/sys/fs/bpf/tc/globals/not_cilium_lxc'),
          file('/sys/fs/bpf/tc/globals/cilium_teamfoo'),
          file('/sys/fs/bpf/tc/globals/cilium_policy_v2_00356'),
          file('/sys/fs/bpf/tc/globals/cilium_policy_v2_356'),
          file('/sys/fs/bpf/tc/globals/cilium_metrics', 'link'),
          file('/sys/fs/bpf/tc/globals/cilium_folder', 'folder'),
          file('/sys/fs/bpf/cilium/devices/eth0/links/x'),
          file('/sys/fs/bpf/cilium/devices/eth0', 'folder'),
          file('/sys/fs/bpf/cilium2/x'),
          file('/sys/fs/bpf2/cilium_lxc'),
        ],
      }),
      NODE_PATHS,
    );
    expect(items.map((item) => [...steps(item), item.why])).toEqual([
      ['unlink /sys/fs/bpf/tc/globals/cilium_lxc', 'it has the name of a map of Cilium'],
      ['unlink /sys/fs/bpf/cilium_rootmap', 'it has the name of a map of Cilium'],
      ['unlink /sys/fs/bpf/tc/globals/cilium_policy_v2_00356', 'it has the name of a map of Cilium'],
      ['unlink /sys/fs/bpf/cilium/devices/eth0/links/x', "it lies in Cilium's folder"],
      ['rmdir /sys/fs/bpf/cilium/devices/eth0', "it lies in Cilium's folder"],
      ['rmdir /sys/fs/bpf/cilium', 'the folder is named cilium'],
    ]);
  });

  test('that are none leave no folder to remove', () => {
    expect(pinItems(nodeWith({ files: [file('/sys/fs/bpf/tc/globals/x')] }), NODE_PATHS)).toEqual([]);
  });

  // differs: cleanup-attribution
  test('and programs that are named like Cilium’s and are of no release stay, and are told of', () => {
    const state = nodeWith({
      files: [
        file('/sys/fs/bpf/tc/globals/cilium_teamfoo'),
        file('/sys/fs/bpf/tc/globals/cilium_lxc'),
        file('/sys/fs/bpf/cilium/cilium_x'),
        file('/sys/fs/bpf/tc/globals/other'),
      ],
      tcFilters: [
        filter('eth0', ['cil_user_probe']),
        filter('eth0', ['other']),
        filter('eth0', ['cil_to_host']),
      ],
      bpfLinks: [{ id: 3, type: 'tcx', programId: 1, programName: 'cil_probe', ifindex: 1 }],
    });
    const why = 'no release of Cilium has one of this name';
    expect(bpfLeft(state, NODE_PATHS)).toEqual([
      `pin /sys/fs/bpf/tc/globals/cilium_teamfoo: ${why}`,
      `program cil_user_probe on eth0 (tc): ${why}`,
      `program cil_probe (link 3): ${why}`,
    ]);
  });
});
