import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { createMap, type MapSpec, openMap } from '../../../src/bpf/kernel/objects.ts';
import { readAll } from '../../../src/bpf/kernel/reader.ts';
import { CONNTRACK4, CONNTRACK6, tuple4, tuple6 } from '../../../src/bpf/layouts/conntrack.ts';
import { EGRESS4, egressKey4 } from '../../../src/bpf/layouts/egress.ts';
import { ENDPOINTS, endpointKey } from '../../../src/bpf/layouts/endpoints.ts';
import { IPCACHE, ipcacheKey } from '../../../src/bpf/layouts/ipcache.ts';
import { endpointPin, type MapLayout, type Variant } from '../../../src/bpf/layouts/map-layout.ts';
import { METRICS } from '../../../src/bpf/layouts/metrics.ts';
import { groupKey } from '../../../src/bpf/layouts/multicast.ts';
import { NAT_RETRIES, NAT4, NAT6 } from '../../../src/bpf/layouts/nat.ts';
import { VTEP, vtepKey } from '../../../src/bpf/layouts/nodes.ts';
import { AUTH, POLICY } from '../../../src/bpf/layouts/policy.ts';
import type { Struct } from '../../../src/bpf/layouts/struct.ts';
import { encode } from '../../../src/bpf/maps/codec.ts';
import type { Verb } from '../../../src/cli/tree.ts';
import { BPF } from '../../../src/commands/bpf/index.ts';
import { mountBpffs, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { type RunResult, run, testContext } from '../../helpers/run.ts';

/** A verb that writes, the map that it writes, and the entry that it means. */
interface Writer {
  verb: string;
  argv: readonly string[];
  layout: MapLayout;
  type?: MapSpec['type'];
  entry: (key: Struct) => Buffer;
  /** Which of the layout's pins the words mean; all where the verb takes each. */
  pins?: RegExp;
}

const policyEntry = (key: Struct) =>
  encode<Struct>(key, { identity: 9, protocol: 6, port: 80, prefixLength: 64 });
const tuple = {
  destination: '10.0.0.1',
  source: '10.0.0.2',
  destinationPort: 80,
  sourcePort: 7,
  protocol: 6,
};
const tuple6Of = () => encode(tuple6, { ...tuple, destination: 'fd00::1', source: 'fd00::2' });
const policy = { layout: POLICY, entry: policyEntry, pins: /_00123$/ };
const rule = ['123', 'ingress', '9', '80/TCP'];
const ipcache = {
  layout: IPCACHE,
  type: 'lpm_trie',
  entry: () => encode(ipcacheKey, { prefixLength: 40, ip: '10.0.0.0' }),
} as const;
const egress = {
  layout: EGRESS4,
  type: 'lpm_trie',
  entry: () => encode(egressKey4, { prefixLength: 40, source: '10.0.0.1', destination: '20.0.0.0' }),
} as const;
const vtep = { layout: VTEP, entry: () => encode(vtepKey, { ip: '10.0.0.0' }) };

const WRITERS: readonly Writer[] = [
  { verb: 'policy add', argv: rule, ...policy },
  { verb: 'policy add', argv: [...rule, '--deny'], ...policy },
  { verb: 'policy add', argv: ['123', 'egress', 'world'], ...policy },
  { verb: 'policy add', argv: ['123', 'egress', '9', '53'], ...policy },
  { verb: 'policy delete', argv: rule, ...policy },
  { verb: 'policy delete', argv: ['123', 'egress', '9', '53'], ...policy },
  { verb: 'ipcache update', argv: ['10.0.0.0/8', '--identity', '7'], ...ipcache },
  { verb: 'ipcache update', argv: ['10.0.0.0/8', '--skiptunnel'], ...ipcache },
  { verb: 'ipcache update', argv: ['10.0.0.0/8', '--tunnelendpoint', 'fd00::1'], ...ipcache },
  { verb: 'ipcache update', argv: ['10.0.0.0/8', '--clusterid', '7'], ...ipcache },
  { verb: 'ipcache delete', argv: ['10.0.0.0/8'], ...ipcache },
  { verb: 'egress update', argv: ['10.0.0.1', '20.0.0.0/8', '10.0.0.2', '10.0.0.3'], ...egress },
  { verb: 'egress delete', argv: ['10.0.0.1', '20.0.0.0/8'], ...egress },
  { verb: 'vtep update', argv: ['10.0.0.0/8', '10.0.0.1', '02:00:00:00:00:01'], ...vtep },
  { verb: 'vtep delete', argv: ['10.0.0.0/8'], ...vtep },
  {
    verb: 'endpoint delete',
    argv: ['10.0.0.1'],
    layout: ENDPOINTS,
    entry: () => encode(endpointKey, { ip: '10.0.0.1' }),
  },
  ...(['global', 'endpoint 123', 'cluster 7'] as const).flatMap((table): Writer[] => {
    const pins = { global: /_global$/, 'endpoint 123': /_00123$/, 'cluster 7': /per_cluster.*_7$/ }[table];
    const words = { verb: 'ct flush', argv: table.split(' '), type: 'lru_hash', pins } as const;
    return [
      { ...words, layout: CONNTRACK4, entry: () => encode(tuple4, tuple) },
      { ...words, layout: CONNTRACK6, entry: tuple6Of },
    ];
  }),
  ...([[], ['cluster', '7']] as const).flatMap((argv): Writer[] => {
    const pins = argv.length === 0 ? /_v._external$/ : /_7$/;
    return [
      { verb: 'nat flush', argv, layout: NAT4, type: 'lru_hash', entry: () => encode(tuple4, tuple), pins },
      { verb: 'nat flush', argv, layout: NAT6, type: 'lru_hash', entry: tuple6Of, pins },
    ];
  }),
  {
    verb: 'nat retries flush',
    argv: [],
    layout: NAT_RETRIES,
    type: 'percpu_array',
    entry: (key) => Buffer.alloc(key.size),
  },
  {
    verb: 'metrics flush',
    argv: [],
    layout: METRICS,
    type: 'percpu_hash',
    entry: (key) => Buffer.alloc(key.size),
  },
  { verb: 'auth flush', argv: [], layout: AUTH, entry: (key) => Buffer.alloc(key.size) },
];

/** Writers that need more than one map, with their own tests below. */
const WITH_OTHERS = [
  'ct orphans',
  'nat orphans',
  'multicast group add',
  'multicast group delete',
  'multicast subscriber add',
  'multicast subscriber delete',
];

const RELEASES = ['1.9', '1.14', '1.15', '1.16', '1.20'] as const;

function make({ globals }: TestBpffs, name: string, spec: MapSpec, keys: readonly Buffer[]): void {
  using map = createMap({ name, ...spec });
  const value = Buffer.alloc(map.valueStride);
  for (const key of keys) map.update(key, value);
  map.pin(join(globals, name));
}

async function content({ globals }: TestBpffs): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const name of readdirSync(globals).sort()) {
    using map = openMap(join(globals, name));
    const entries = await readAll(map);
    all.push([
      name,
      entries.map(({ key, value }) => `${key.toString('hex')} ${value.toString('hex')}`).sort(),
    ]);
  }
  return all;
}

/** What the dry run says, held against what the real one then does on the same maps. */
async function compare(fs: TestBpffs, argv: readonly string[], release?: string): Promise<RunResult> {
  const line = [
    ...(release === undefined ? [] : ['--agent-release', release]),
    'bpf',
    ...argv,
    '--bpf-root',
    fs.root,
  ];
  const options = { env: { CILIUM_SOCK: '/nowhere' } };
  const before = await content(fs);
  const dry = await run([...line, '--dry-run'], options);
  expect(await content(fs)).toEqual(before);
  const real = await run([...line, '--yes'], options);
  const said = (result: RunResult) => [line.join(' '), result.code, result.stderr];
  expect(said(dry)).toEqual(said(real));
  expect(real.stderr).not.toContain('fault in the toolkit');
  if (real.code !== 0) {
    expect(dry.stdout).toBe(real.stdout);
    expect(await content(fs)).toEqual(before);
  }
  return real;
}

const shown = ({ verb, argv }: Writer) => [verb, ...argv].join(' ');
const pinsOf = ({ pins }: Variant, { pins: meant = /./ }: Writer) =>
  pins.map((pin) => endpointPin(pin, 123).replace('{n}', '7')).filter((pin) => meant.test(pin));

/** Where the sizes of a map do not tell the release, what is written depends on the one that is named. */
const asksRelease = ({ verb }: Writer) => verb === 'ipcache update';

/** The forms of a map, newest first; those of the same pins and sizes are one to a verb that asks for no release. */
function formsOf(writer: Writer): readonly Variant[] {
  const { variants } = writer.layout;
  if (asksRelease(writer)) return variants;
  const form = ({ key, value, pins }: Variant) => `${key.size} ${value.size} ${pins}`;
  return [...new Map(variants.map((variant) => [form(variant), variant])).values()];
}

describe.each(WRITERS.map((writer) => [shown(writer), writer] as const))('bpf %s --dry-run', (_, writer) => {
  const { entry, type = 'hash', verb, argv } = writer;
  const words = [...verb.split(' '), ...argv];
  const flags = type === 'lpm_trie' ? 1 : 0;
  /** An entry beside the one that the words mean. */
  const other = (key: Struct) => {
    const raw = entry(key);
    // The last bytes of a trie's key lie behind its prefix.
    const at = type === 'lpm_trie' ? (key === egressKey4 ? 7 : 8) : 0;
    if (type === 'percpu_array') return raw;
    raw[at] = (raw[at] ?? 0) ^ 0xff;
    return raw;
  };

  describe.each(
    formsOf(writer).map((variant) => [`${variant.key.size}/${variant.value.size}`, variant] as const),
  )('on layout %s', (_, { key, value, ...variant }) => {
    for (const pin of new Set(pinsOf({ key, value, ...variant }, writer)))
      kernelTest(`as ${pin}`, async () => {
        const spec = { type, keySize: key.size, valueSize: value.size, flags };
        const states = [[], [entry(key)], [other(key)]];
        for (const release of asksRelease(writer) ? [undefined, ...RELEASES] : [undefined])
          for (const keys of states) {
            using fs = mountBpffs();
            make(fs, pin, { ...spec, maxEntries: Math.max(1, type === 'lru_hash' ? 64 : keys.length) }, keys);
            await compare(fs, words, release);
          }
      });

    kernelTest('and sizes that no release has', async () => {
      const [pin = ''] = pinsOf({ key, value, ...variant }, writer);
      for (const [keySize, valueSize] of [
        [key.size + 4, value.size],
        [key.size, value.size + 8],
        [9, 5],
      ] as const) {
        if (type === 'percpu_array' && keySize !== 4) continue;
        using fs = mountBpffs();
        make(fs, pin, { type, keySize, valueSize, flags, maxEntries: 8 }, []);
        await compare(fs, words);
      }
    });
  });

  kernelTest('without the map', async () => {
    using fs = mountBpffs();
    await compare(fs, words);
  });
});

describe('bpf multicast --dry-run', () => {
  const inner: MapSpec = { type: 'hash', keySize: 4, valueSize: 12, maxEntries: 2 };
  /** A map of groups with room for one, in which there may be a group with subscribers. */
  const groups = (
    fs: TestBpffs,
    members: number,
    { subscribers = 0, keySize = 4, spec = inner } = {},
  ): void => {
    using template = createMap(spec);
    for (let i = 0; i < subscribers; i++)
      template.update(Buffer.of(10, 0, 0, i + 1), Buffer.alloc(spec.valueSize));
    using map = createMap({ type: 'hash_of_maps', keySize, valueSize: 4, maxEntries: 1, inner: template });
    if (members > 0) map.updateObject(encode(groupKey, { group: '229.0.0.1' }), template);
    map.pin(join(fs.globals, 'cilium_mcast_group_outer_v4_map'));
  };
  const lines = [
    'group add 229.0.0.1',
    'group add 229.0.0.2',
    'group delete 229.0.0.1',
    'group delete 229.0.0.2',
    'subscriber delete 229.0.0.1 10.0.0.1',
    'subscriber delete 229.0.0.1 10.0.0.9',
    'subscriber delete 229.0.0.2 10.0.0.1',
    'subscriber add 229.0.0.1 10.0.0.9',
  ];

  describe.each(lines)('%s', (words) => {
    kernelTest('on groups that are full, empty and of no known sizes', async () => {
      for (const make of [
        (fs: TestBpffs) => groups(fs, 0),
        (fs: TestBpffs) => groups(fs, 1, { subscribers: 2 }),
        (fs: TestBpffs) => groups(fs, 0, { keySize: 8 }),
        (fs: TestBpffs) => groups(fs, 1, { spec: { ...inner, valueSize: 16 } }),
        () => {},
      ]) {
        using fs = mountBpffs();
        make(fs);
        await compare(fs, ['multicast', ...words.split(' ')]);
      }
    });
  });
});

describe.each([
  ['ct orphans', 'cilium_ct4_global', CONNTRACK4],
  ['nat orphans', 'cilium_snat_v4_external', NAT4],
] as const)('bpf %s --delete --dry-run', (verb, pin, layout) => {
  const words = [...verb.split(' '), '--delete', '--pod-cidr', '10.0.0.0/8'];
  const endpoints = { type: 'hash', keySize: 20, valueSize: 48, maxEntries: 4 } as const;

  kernelTest('on every layout, on sizes that no release has, and without the maps', async () => {
    const sizes = layout.variants.map(({ key, value }) => [key.size, value.size] as const);
    for (const [keySize, valueSize] of [...sizes, [9, 5], undefined].map((pair) => pair ?? [0, 0])) {
      using fs = mountBpffs();
      if (keySize > 0) {
        make(fs, 'cilium_lxc', endpoints, []);
        const entries = keySize === tuple4.size ? [encode(tuple4, tuple)] : [];
        make(fs, pin, { type: 'lru_hash', keySize, valueSize, maxEntries: 64 }, entries);
      }
      await compare(fs, words);
    }
  });
});

/** The verbs of a tree that have --dry-run, as words. */
async function dryRunVerbs(verb: Verb, path: readonly string[] = []): Promise<string[]> {
  const deeper: string[] = [];
  // One after the other: the oldest Node does not load modules of one test at the same time.
  for (const [name, one] of Object.entries(verb.verbs ?? {}))
    deeper.push(...(await dryRunVerbs(one, [...path, name])));
  if (!verb.load) return deeper;
  const command = new Command(path.at(-1));
  (await verb.load())(command, testContext());
  const has = command.options.some(({ long }) => long === '--dry-run');
  return [...(has ? [path.join(' ')] : []), ...deeper];
}

test('every verb of bpf that writes is compared', async () => {
  expect(new Set(await dryRunVerbs(BPF))).toEqual(
    new Set([...WRITERS.map(({ verb }) => verb), ...WITH_OTHERS]),
  );
});
