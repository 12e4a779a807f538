import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createMap } from '../../src/bpf/kernel/objects.ts';
import { KNOWN_MAPS } from '../../src/bpf/layouts/catalogue.ts';
import { endpointPin } from '../../src/bpf/layouts/map-layout.ts';
import { missingKernel, mountBpffs } from '../helpers/bpf.ts';
import { run } from '../helpers/run.ts';
import type { Random } from './random.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const VERBS = [
  'auth list',
  'bandwidth list',
  'config list',
  'ct list',
  'ct list -o json',
  'ct top',
  'egress list',
  'endpoint list',
  'frag list',
  'ipcache list',
  'ipmasq list',
  'lb list',
  'lb list --frontends',
  'lb list --backends',
  'lb list --revnat',
  'lb list --source-ranges',
  'lb list -o json',
  'maps list',
  'metrics list',
  'multicast group list',
  'nat list',
  'nat list -o json',
  'nat top',
  'nat orphans --pod-cidr 10.0.0.0/8',
  'ct orphans --pod-cidr 10.0.0.0/8',
  'nat retries list',
  'nodeid list',
  'policy list -n',
  'policy get 7 -n',
  'policy get --all -n',
  'recorder list',
  'sha list',
  'socknat list',
  'srv6 policy',
  'srv6 vrf',
  'tunnel list',
  'vtep list',
];

/** Pins that stand for any of their kind. */
function pinOf(template: string): string {
  return endpointPin(template, 7).replace('{n}', '1');
}

const VARIANTS = KNOWN_MAPS.flatMap(({ variants }) => [...variants]).filter(({ pins }) => pins.length > 0);

/** Some maps of the agent with entries of any bytes, by pin and sizes. */
export function someMaps(random: Random, variants = VARIANTS): Record<string, string> {
  const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick(variants));
  return Object.fromEntries(
    chosen.map(({ pins, key, value }) => {
      const pin = pinOf(random.pick(pins));
      const entries = Array.from({ length: 1 + random.below(20) }, () =>
        bytesOf(key.size + value.size, random),
      );
      return [`${pin} ${key.size} ${value.size}`, packed(Buffer.concat(entries))];
    }),
  );
}

/** Pins maps below a folder; what is disposed of removes them. */
export function pinMaps(maps: Readonly<Record<string, string>>, folder: string): Disposable {
  const pinned: string[] = [];
  const remove = () => {
    for (const path of pinned) rmSync(path, { force: true });
  };
  try {
    for (const [name, part] of Object.entries(maps)) {
      const [pin = '', keySize = '0', valueSize = '0'] = name.split(' ');
      const path = join(folder, pin);
      if (pinned.includes(path)) continue;
      using map = createMap({
        name: 'fuzz',
        type: 'hash',
        keySize: Number(keySize),
        valueSize: Number(valueSize),
        maxEntries: 32,
      });
      const bytes = unpacked(part);
      const size = map.info.keySize + map.info.valueSize;
      for (let at = 0; at + size <= bytes.length; at += size)
        map.update(
          bytes.subarray(at, at + map.info.keySize),
          bytes.subarray(at + map.info.keySize, at + size),
        );
      map.pin(path);
      pinned.push(path);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { [Symbol.dispose]: remove };
}

/** Bytes of maps, in a bpffs of its own. */
export const openBpf: OpenTarget = async (folder, onClose) => {
  const missing = missingKernel();
  if (missing !== undefined) return missing;
  const bpffs = onClose.use(mountBpffs());
  return {
    make(random) {
      const data = someMaps(random);
      const [pin = ''] = (Object.keys(data)[0] ?? '').split(' ');
      const words = random.chance(0.3) ? `maps dump ${pin}` : random.pick(VERBS);
      return { argv: ['bpf', ...words.split(' ')], data };
    },
    async run({ argv, data }, signal) {
      using _ = pinMaps(data, bpffs.globals);
      return await run([...argv, '--bpf-root', bpffs.root], {
        signal,
        cwd: folder,
        env: { CILIUM_SOCK: '/nowhere' },
      });
    },
  };
};

/** Mostly small numbers and zeros, as structs have them, and anything. */
function bytesOf(size: number, random: Random): Buffer {
  const kind = random.next();
  return Buffer.from(
    Array.from({ length: size }, () =>
      kind < 0.3
        ? random.below(256)
        : random.chance(0.6)
          ? 0
          : random.pick([1, 2, 4, 6, 17, 0xff, random.below(256)]),
    ),
  );
}
