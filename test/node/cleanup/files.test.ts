import { expect, test } from '@jest/globals';
import { fileItems } from '../../../src/node/cleanup/files.ts';
import { NODE_PATHS } from '../../../src/node/state/read.ts';
import { nodeWith, steps } from '../node-state.ts';

const itemsOf = (paths: string[], kind: 'file' | 'folder' | 'link' = 'file') =>
  fileItems(nodeWith({ files: paths.map((path) => ({ path, kind, size: 1 })) }), NODE_PATHS);

test('mounts are those of Cilium’s folders', () => {
  const targets = [
    '/var/run/cilium/cgroupv2',
    '/run/cilium/cgroupv2',
    '/var/run/cilium/netns/1',
    '/var/run/cilium/netns',
    '/run/cilium/other',
    '/sys/fs/bpf',
  ];
  const items = fileItems(nodeWith({ mounts: targets.map((target) => ({ target, type: 't' })) }), NODE_PATHS);
  expect(items.map(({ id }) => id)).toEqual([
    'mount /var/run/cilium/cgroupv2',
    'mount /run/cilium/cgroupv2',
    'mount /var/run/cilium/netns/1',
  ]);
  expect(items.flatMap((item) => steps(item))[0]).toBe('umount /var/run/cilium/cgroupv2');
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
  ['/etc/cni/net.d/05-cilium.json', false],
  ['/etc/cni/net.d/05-calico-cilium.conf', false],
  ['/etc/cni/net.d/99-loopback.conf', false],
  ['/etc/other/05-cilium.conf', false],
  ['/etc/cni/net.d/10-flannel.conf.cilium_bak.old', false],
  ['/etc/sysctl.d/99-zzz-override_cilium.conf', true],
  ['/etc/sysctl.d/90-cilium.conf', true],
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
  expect(steps(free, 'restore')).toEqual([`rename ${original} ${aside}`]);
  const [taken] = itemsOf([aside, original]);
  expect(taken?.what).toBe(aside);
  expect(steps(taken)).toEqual([`unlink ${aside}`]);
  expect(taken?.restore).toBeUndefined();
});
