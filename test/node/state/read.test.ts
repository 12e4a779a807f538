import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isBelow, parseMounts } from '../../../src/node/state/mounts.ts';
import { readNode, readRoutes, readRules } from '../../../src/node/state/read.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import { readTcFilters } from '../../../src/node/state/tc.ts';
import { fakePrograms } from '../../helpers/programs.ts';

test('mounts are told apart by target, type, and what of a file system they show', () => {
  const text = `22 1 0:21 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1k
40 22 0:4 net:[4026532480] /run/netns/a\\040b rw shared:9 master:1 - nsfs nsfs rw
41 22 0:30 / /run/cilium/cgroupv2 rw - cgroup2 none rw
short line
`;
  expect(parseMounts(text)).toEqual([
    { id: 22, parent: 1, target: '/run', type: 'tmpfs', root: '/', options: 'rw,nosuid' },
    { id: 40, parent: 22, target: '/run/netns/a b', type: 'nsfs', root: 'net:[4026532480]', options: 'rw' },
    { id: 41, parent: 22, target: '/run/cilium/cgroupv2', type: 'cgroup2', root: '/', options: 'rw' },
  ]);
  expect(['/a', '/a/b', '/ab', '/'].map((path) => isBelow(path, '/a'))).toEqual([true, true, false, false]);
});

test('which metrics of a route are locked is read from the text, which alone tells it', async () => {
  const json = '[{"dst":"10.1.0.0/24","metrics":[{"mtu":1400}]},{"dst":"10.2.0.0/24"}]';
  using programs = fakePrograms({
    ip: `case "$*" in *-j*) echo '${json}';; *) printf '%s\\n' '10.1.0.0/24 dev a mtu lock 1400 rtt lock 5ms ' '10.2.0.0/24 dev a';; esac`,
  });
  const notes: string[] = [];
  expect(await readRoutes(systemRun({ PATH: programs.path }), 4, notes)).toEqual([
    { dst: '10.1.0.0/24', metrics: [{ mtu: 1400 }], locked: ['mtu', 'rtt'] },
    { dst: '10.2.0.0/24' },
  ]);
  expect(notes).toEqual([]);
});

test('a route through a nexthop object is one, whatever else is told of it', async () => {
  const json = '[{"dst":"10.1.0.0/24","nhid":7,"nh_info":{"id":7}},{"dst":"10.2.0.0/24"}]';
  using programs = fakePrograms({
    ip: `case "$*" in *-j*) echo '${json}';; *) printf '%b\\n' '10.1.0.0/24 nhid 7 dev a' '\\tnh_info id 7 dev a' '10.2.0.0/24 dev a mtu lock 9';; esac`,
  });
  const notes: string[] = [];
  const routes = await readRoutes(systemRun({ PATH: programs.path }), 4, notes);
  expect({ dst: routes.map(({ dst }) => dst), locked: routes[1]?.locked, notes }).toEqual({
    dst: ['10.1.0.0/24', '10.2.0.0/24'],
    locked: ['mtu'],
    notes: [],
  });
});

test('routes that change between the two lists are not taken for what they are not', async () => {
  using programs = fakePrograms({
    ip: `case "$*" in *-j*) echo '[{"dst":"10.1.0.0/24"},{"dst":"10.2.0.0/24"}]';; *) echo '10.2.0.0/24 dev a';; esac`,
  });
  const notes: string[] = [];
  expect(await readRoutes(systemRun({ PATH: programs.path }), 6, notes)).toEqual([]);
  expect(notes).toEqual(['ip -d -j -6 route show table all: the list changed while it was read']);
});

test('that the device of a rule is missing is no part of the rule', async () => {
  using programs = fakePrograms({ ip: `echo '[{"priority":9,"iif":"a","iif_detached":null}]'` });
  expect(await readRules(systemRun({ PATH: programs.path }), 4, [])).toEqual([{ priority: 9, iif: 'a' }]);
});

describe('filters of tc', () => {
  const read = async (tc: string) => {
    using programs = fakePrograms({ tc });
    const links = [{ ifindex: 1, ifname: 'eth0' }];
    const notes: string[] = [];
    const { tcFilters, tcUnknown, tcShared } = await readTcFilters(
      systemRun({ PATH: programs.path }),
      links,
      notes,
    );
    const at = tcFilters.map(({ qdisc, place, kind }) => `${qdisc} ${place} ${kind}`);
    return { at, tcUnknown, tcShared, notes: notes.length, calls: programs.calls().length };
  };
  const qdiscs = JSON.stringify([
    ...[
      ['noqueue', '0:', 'lo'],
      ['prio', '1:', 'eth0'],
      ['htb', '10:', 'eth0'],
      ['pfifo_fast', '0:', 'eth0'],
    ].map(([kind, handle, dev]) => ({ kind, handle, dev })),
    { kind: 'clsact', handle: 'ffff:', dev: 'eth1', egress_block: 22 },
  ]);
  const answer = (classes: string) =>
    `case "$*" in *qdisc*) echo '${qdiscs}';; class*) ${classes};; *egress*) echo '[]';; *) echo '[{"kind":"u32"}]';; esac`;

  test('are asked of every qdisc that can have some, and of its classes', async () => {
    const classes = `printf 'class %s\\n' 'htb 10:1 root prio 0' 'prio 1:1 parent 1:' 'hfsc 10: root'`;
    expect(await read(answer(classes))).toEqual({
      at: ['prio parent 1: u32', 'htb parent 10: u32', 'htb parent 10:1 u32', 'clsact ingress u32'],
      ...{ tcUnknown: [], tcShared: ['eth1'], notes: 0, calls: 7 },
    });
  });

  test.each([
    ['the classes', answer('exit 1'), 3],
    ['the qdiscs', 'exit 1', 0],
    ['the qdiscs, of which a part is told,', `echo '[{"kind":"prio"}]'`, 0],
  ])('are unknown where %s cannot be read', async (_what, tc, found) => {
    const { at, tcUnknown, notes } = await read(tc);
    expect([at.length, tcUnknown, notes]).toEqual([found, ['eth0'], 1]);
  });
});

test('pins are those of the bpffs itself: no symbolic link leads out of it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'state-'));
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  mkdirSync(join(outside, 'globals'));
  mkdirSync(join(root, 'bpf/tc/globals'), { recursive: true });
  for (const path of ['bpf/tc/globals/cilium_lxc', 'bpf/cilium_rootmap']) writeFileSync(join(root, path), '');
  writeFileSync(join(outside, 'globals/cilium_lxc'), '');
  symlinkSync(outside, join(root, 'bpf/xdp'));
  symlinkSync(outside, join(root, 'bpf/cilium'));
  symlinkSync('/etc/hostname', join(root, 'bpf/tc/globals/cilium_metrics'));
  symlinkSync(outside, join(root, 'run'));
  const paths = {
    bpfRoot: join(root, 'bpf'),
    runState: join(root, 'run'),
    libState: join(root, 'lib'),
    cniConfig: join(root, 'cni'),
    sysctlDropIns: join(root, 'sysctl'),
  };
  const quiet = [
    'iptables-nft',
    'iptables-legacy',
    'ip6tables-nft',
    'ip6tables-legacy',
    'iptables',
    'ip6tables',
  ];
  using programs = fakePrograms({
    ...Object.fromEntries(quiet.map((name) => [`${name}-save`, 'exit 0'])),
    ...Object.fromEntries(['ip', 'tc', 'ipset', 'bpftool'].map((name) => [name, 'exit 0'])),
  });
  const { files, runStates } = await readNode(systemRun({ PATH: programs.path }), paths);
  expect(files.map(({ path, kind }) => [path.slice(root.length + 1), kind])).toEqual([
    ['bpf/cilium_rootmap', 'pin'],
    ['bpf/tc/globals/cilium_lxc', 'pin'],
    ['bpf/tc/globals/cilium_metrics', 'link'],
    ['run', 'link'],
  ]);
  expect(runStates).toEqual([join(root, 'run'), outside]);
  rmSync(root, { recursive: true });
  rmSync(outside, { recursive: true });
});
