import { expect, test } from '@jest/globals';
import { fileItems, filesLeft } from '../../../src/node/cleanup/files.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
import type { Mount } from '../../../src/node/state/state.ts';
import { nodeWith, steps } from '../node-state.ts';

const itemsOf = (paths: string[], kind: 'file' | 'folder' | 'link' = 'file') =>
  fileItems(nodeWith({ files: paths.map((path) => ({ path, kind, size: 1 })) }), NODE_PATHS);

let mounted = 1;
const mount = (target: string, type: string, more: Partial<Mount> = {}): Mount => ({
  id: ++mounted,
  parent: 1,
  target,
  type,
  root: '/',
  options: 'rw',
  ...more,
});

test('mounts are those that agents make, where the links of the folder lead', () => {
  const mounts = [
    mount('/run/cilium/cgroupv2', 'cgroup2'),
    mount('/var/run/cilium/cgroupv2', 'cgroup2'),
    mount('/run/cilium/netns/1', 'nsfs'),
    mount('/run/cilium/netns/2', 'tmpfs'),
    mount('/run/cilium/other', 'cgroup2'),
    mount('/srv/state/cgroupv2', 'cgroup2'),
    mount('/run/ciliumdata', 'nsfs'),
  ];
  const ids = (runStates: string[]) =>
    fileItems(nodeWith({ mounts, runStates }), NODE_PATHS).map(({ id }) => id);
  expect(ids(['/var/run/cilium', '/run/cilium'])).toEqual([
    'mount /run/cilium/netns/1',
    'mount /var/run/cilium/cgroupv2',
    'mount /run/cilium/cgroupv2',
  ]);
  expect(ids(['/var/run/cilium', '/srv/state'])).toContain('mount /srv/state/cgroupv2');
  const items = fileItems(nodeWith({ mounts }), NODE_PATHS);
  expect(items.map((item) => steps(item, 'restore'))).toEqual([
    [],
    ['mount -t cgroup2 cgroup2 /var/run/cilium/cgroupv2'],
    ['mount -t cgroup2 cgroup2 /run/cilium/cgroupv2'],
  ]);
  expect(steps(items[2])).toEqual(['unmount /run/cilium/cgroupv2']);
});

test('a state folder in which something else is mounted stays, and so does one that is elsewhere', () => {
  const folder = { path: '/var/run/cilium', kind: 'folder', size: 1 } as const;
  const state = nodeWith({
    files: [folder],
    mounts: [mount('/run/cilium/cgroupv2', 'cgroup2'), mount('/run/cilium/hostdata', 'ext4')],
  });
  expect(fileItems(state, NODE_PATHS).map(({ id }) => id)).toEqual(['mount /run/cilium/cgroupv2']);
  expect(filesLeft(state, NODE_PATHS)).toEqual([
    '/var/run/cilium: ext4 of somebody else is mounted on /run/cilium/hostdata',
  ]);
  const linked = nodeWith({ files: [{ ...folder, kind: 'link' }] });
  expect(fileItems(linked, NODE_PATHS)).toEqual([]);
  expect(filesLeft(linked, NODE_PATHS)).toEqual([expect.stringContaining('it is a symbolic link')]);
});

test.each([
  ['on it', '/run/cilium/cgroupv2'],
  ['on a folder above', '/run/cilium'],
])('a mount of an agent stays when something else is mounted %s', (_where, target) => {
  const own = mount('/run/cilium/cgroupv2', 'cgroup2', { id: 500, parent: 1 });
  // One that was moved has a lower number.
  const cover = mount(target, 'tmpfs', { id: 400, parent: target === own.target ? 500 : 1 });
  const state = nodeWith({ mounts: [cover, mount('/', 'ext4', { id: 1, parent: 0 }), own] });
  expect(fileItems(state, NODE_PATHS)).toEqual([]);
  expect(filesLeft(state, NODE_PATHS)).toEqual([
    'mount /run/cilium/cgroupv2: something of somebody else is mounted on it',
  ]);
});

test('mounts of agents that lie on each other go one by one', () => {
  const below = mount('/run/cilium/cgroupv2', 'cgroup2', { id: 500 });
  const above = mount('/run/cilium/cgroupv2', 'cgroup2', { id: 400, parent: 500 });
  const state = nodeWith({ mounts: [above, below] });
  expect(fileItems(state, NODE_PATHS).flatMap((item) => steps(item))).toEqual([
    'unmount /run/cilium/cgroupv2',
    'unmount /run/cilium/cgroupv2',
  ]);
  expect(filesLeft(state, NODE_PATHS)).toEqual([]);
});

test('a state folder of which something cannot be recorded stays', () => {
  const folder = { path: '/var/lib/cilium', kind: 'folder', size: 1, unkept: 'the device /x' } as const;
  const state = nodeWith({ files: [folder] });
  expect(fileItems(state, NODE_PATHS)).toEqual([]);
  expect(filesLeft(state, NODE_PATHS)).toEqual(['/var/lib/cilium: undo could not bring back the device /x']);
});

test('state folders go with all that is in them', () => {
  const items = itemsOf(['/var/run/cilium', '/var/lib/cilium', '/var/lib/cilium-toolkit'], 'folder');
  expect(items.map((item) => [item.id, item.kind, ...steps(item)])).toEqual([
    ['folder /var/run/cilium', 'folder', 'remove-tree /var/run/cilium'],
    ['folder /var/lib/cilium', 'folder', 'remove-tree /var/lib/cilium'],
  ]);
});

test.each([
  ['/etc/cni/net.d/05-cilium.conflist', true],
  ['/etc/cni/net.d/cilium.conf', true],
  ['/etc/cni/net.d/05-cilium-cni.conf', true],
  ['/etc/cni/net.d/00-cilium-cni.conf', true],
  ['/etc/cni/net.d/99-cilium-corp.conf', false],
  ['/etc/cni/net.d/05-cilium.json', false],
  ['/etc/cni/net.d/05-calico-cilium.conf', false],
  ['/etc/cni/net.d/99-loopback.conf', false],
  ['/etc/other/05-cilium.conf', false],
  ['/etc/cni/net.d/10-flannel.conf.cilium_bak.old', false],
  ['/etc/sysctl.d/99-zzz-override_cilium.conf', true],
  ['/etc/sysctl.d/90-cilium.conf', false],
  ['/etc/sysctl.d/50-zzz-override_cilium.conf', false],
  ['/etc/sysctl.d/90-cilium.conf.old', false],
  ['/etc/sysctl.d/my-90-cilium.conf', false],
  ['/etc/sysctl.d/10-ours.conf', false],
])('%s is removed: %s', (path, own) => {
  expect(itemsOf([path]).flatMap((item) => steps(item))).toEqual(own ? [`unlink ${path}`] : []);
});

test('a configuration that was set aside takes its name back, unless another has it', () => {
  const aside = '/etc/cni/net.d/10-flannel.conflist.cilium_bak';
  const original = '/etc/cni/net.d/10-flannel.conflist';
  const [free] = itemsOf([aside]);
  expect(free?.what).toBe(`${aside} (becomes ${original} again)`);
  expect(steps(free)).toEqual([`rename ${aside} ${original}`]);
  expect(steps(free, 'restore')).toEqual([`rename ${original} to ${aside}`]);
  const [taken] = itemsOf([aside, original]);
  expect(taken?.what).toBe(aside);
  expect(steps(taken)).toEqual([`unlink ${aside}`]);
  expect(taken?.restore).toBeUndefined();
});
