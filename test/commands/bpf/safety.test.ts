import { spawnSync } from 'node:child_process';
import { chownSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { createMap, openMap } from '../../../src/bpf/kernel/objects.ts';
import { readAll } from '../../../src/bpf/kernel/reader.ts';
import { mountBpffs, type RecordedMap, restoreMap } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { fixture } from '../../helpers/recordings.ts';
import { run } from '../../helpers/run.ts';

const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.20.json');

const READING = [
  ['auth', 'list'],
  ['config', 'list'],
  ['ct', 'list'],
  ['ct', 'top'],
  ['ct', 'orphans', '--pod-cidr', '10.0.0.0/8'],
  ['endpoint', 'list'],
  ['frag', 'list'],
  ['ipcache', 'list'],
  ['ipcache', 'get', '10.0.0.1'],
  ['ipcache', 'match', '0.0.0.0/0'],
  ['ipmasq', 'list'],
  ['lb', 'list'],
  ['lb', 'list', '--frontends'],
  ['lb', 'list', '--backends'],
  ['lb', 'list', '--revnat'],
  ['lb', 'list', '--source-ranges'],
  ['lb', 'maglev', 'list'],
  ['maps', 'list'],
  ['maps', 'dump', 'cilium_lxc'],
  ['metrics', 'list'],
  ['nat', 'list'],
  ['nat', 'top'],
  ['nat', 'orphans', '--pod-cidr', '10.0.0.0/8'],
  ['nat', 'retries', 'list'],
  ['nodeid', 'list'],
  ['policy', 'list', '-n'],
  ['policy', 'get', '2445', '-n'],
  ['socknat', 'list'],
  ['tunnel', 'list'],
] as const;

const WRITING = [
  ['auth', 'flush'],
  ['ct', 'flush'],
  ['ct', 'orphans', '--pod-cidr', '10.0.0.0/8', '--delete'],
  ['egress', 'update', '10.0.0.1', '10.0.0.0/8', '10.0.0.2', '10.0.0.3'],
  ['egress', 'delete', '10.0.0.1', '10.0.0.0/8'],
  ['endpoint', 'delete', '10.11.159.52'],
  ['ipcache', 'update', '10.0.0.0/8', '--identity', '7'],
  ['ipcache', 'delete', '0.0.0.0/0'],
  ['metrics', 'flush'],
  ['nat', 'flush'],
  ['nat', 'orphans', '--pod-cidr', '10.0.0.0/8', '--delete'],
  ['nat', 'retries', 'flush'],
  ['policy', 'add', '356', 'ingress', '9', '80/TCP'],
  ['policy', 'delete', '356', 'ingress', '0'],
  ['vtep', 'update', '10.0.0.0/8', '10.0.0.1', '02:00:00:00:00:01'],
  ['vtep', 'delete', '10.0.0.0/8'],
] as const;

/** Ids and entries of everything that is pinned: a map that was made anew has another id. */
async function snapshot(globals: string): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const name of readdirSync(globals)) {
    using map = openMap(join(globals, name));
    const walked = !/perf_event_array/.test(map.info.type);
    const entries = walked ? await readAll(map) : [];
    all[name] = [
      map.info.id,
      entries.map(({ key, value }) => `${key.toString('hex')} ${value.toString('hex')}`).sort(),
    ];
  }
  return all;
}

const quiet = { env: { CILIUM_SOCK: '/nowhere' } };

describe('maps', () => {
  // differs: bpf-read-only
  kernelTest('are not changed by verbs that read, nor by --dry-run', async () => {
    using bpffs = mountBpffs();
    for (const map of maps) restoreMap(map, bpffs.globals);
    const before = await snapshot(bpffs.globals);
    for (const argv of READING) {
      const result = await run(['bpf', ...argv, '--bpf-root', bpffs.root], quiet);
      expect([argv.join(' '), result.code, result.stderr.includes('fault in the toolkit')]).toEqual([
        argv.join(' '),
        0,
        false,
      ]);
    }
    for (const argv of WRITING) await run(['bpf', ...argv, '--dry-run', '--bpf-root', bpffs.root], quiet);
    expect(await snapshot(bpffs.globals)).toEqual(before);
  });

  kernelTest(
    'with the name of one of Cilium and other sizes are not flushed, nor what a link leads to',
    async () => {
      using bpffs = mountBpffs();
      using theirs = createMap({ name: 'theirs', type: 'hash', keySize: 4, valueSize: 12, maxEntries: 4 });
      theirs.update(Buffer.alloc(4), Buffer.alloc(12));
      theirs.pin(join(bpffs.globals, 'theirs'));
      const maps = {
        ct: 'cilium_ct4_global',
        nat: 'cilium_snat_v4_external',
        'nat retries': 'cilium_snat_v4_alloc_retries',
        auth: 'cilium_auth_map',
        metrics: 'cilium_metrics',
      };
      for (const name of Object.values(maps)) symlinkSync('theirs', join(bpffs.globals, name));
      for (const noun of Object.keys(maps))
        for (const more of [[], ['--dry-run']]) {
          const result = await run(
            ['bpf', ...noun.split(' '), 'flush', ...more, '--bpf-root', bpffs.root],
            quiet,
          );
          expect(result).toMatchObject({
            code: 1,
            stderr: expect.stringContaining(
              'has keys of 4 and values of 12 bytes, which no known release gave it',
            ),
          });
        }
      expect(await readAll(theirs)).toHaveLength(1);
    },
  );

  kernelTest('are refused before connections are forgotten, where they would lose translations', async () => {
    using bpffs = mountBpffs();
    const pinned = (name: string, keySize: number, valueSize: number) => {
      using map = createMap({ name: 'map', type: 'hash', keySize, valueSize, maxEntries: 4 });
      map.update(Buffer.alloc(keySize), Buffer.alloc(valueSize));
      map.pin(join(bpffs.globals, name));
    };
    pinned('cilium_ct4_global', 14, 56);
    pinned('cilium_ct6_global', 38, 56);
    pinned('cilium_snat_v4_external', 14, 40);
    pinned('cilium_snat_v6_external', 4, 4);
    for (const flag of ['--dry-run', '--yes'])
      expect(await run(['bpf', 'ct', 'flush', flag, '--bpf-root', bpffs.root], quiet)).toMatchObject({
        stdout: '',
        stderr: expect.stringMatching(/cilium_snat_v6_external has keys of 4 and values of 4 bytes/),
        code: 1,
      });
    for (const name of ['cilium_ct4_global', 'cilium_ct6_global']) {
      using map = openMap(join(bpffs.globals, name));
      expect(await readAll(map)).toHaveLength(1);
    }
  });

  kernelTest('without entries give no faults', async () => {
    using bpffs = mountBpffs();
    for (const map of maps) restoreMap({ ...map, entries: [] }, bpffs.globals);
    for (const argv of READING) {
      const result = await run(['bpf', ...argv, '--bpf-root', bpffs.root], quiet);
      expect([argv.join(' '), result.stderr.includes('fault in the toolkit')]).toEqual([
        argv.join(' '),
        false,
      ]);
    }
    const empty = await run(['bpf', 'metrics', 'list', '-o', 'json', '--bpf-root', bpffs.root], quiet);
    expect(empty).toEqual({ stdout: '', stderr: 'No entries found.\n', code: 0 });
  });

  kernelTest('with corrupt entries are shown as they are', async () => {
    using bpffs = mountBpffs();
    for (const map of maps) {
      const corrupt = (hex: string, from: number) => hex.slice(0, from) + 'f'.repeat(hex.length - from);
      // Keys of a trie begin with a length that the kernel checks, indexes of arrays must fit.
      const keep = map.type === 'lpm_trie' ? 8 : /array/.test(map.type) ? Number.POSITIVE_INFINITY : 0;
      const entries = (map.entries ?? []).map(([key, value]): [string, string | string[]] => [
        corrupt(key, Math.min(keep, key.length)),
        typeof value === 'string' ? corrupt(value, 0) : value.map((slot) => corrupt(slot, 0)),
      ]);
      restoreMap({ ...map, entries }, bpffs.globals);
    }
    for (const argv of READING) {
      const result = await run(['bpf', ...argv, '--bpf-root', bpffs.root], quiet);
      expect([argv.join(' '), result.stderr.includes('fault in the toolkit')]).toEqual([
        argv.join(' '),
        false,
      ]);
      expect(result.stdout).not.toMatch(/undefined|NaN/);
    }
  });
});

// differs: bpf-root
describe('without root', () => {
  test.each([...READING, ...WRITING].map((argv) => [argv.join(' '), argv] as const))(
    'bpf %s says so',
    async (_, argv) => {
      const result = await run(['bpf', ...argv], { uid: 1000 });
      expect(result.stderr).toMatch(
        /^Error: Please run "cilium bpf [^"]+" command\(s\) with root privileges\.\n$/,
      );
      expect(result).toMatchObject({ stdout: '', code: 1 });
    },
  );

  kernelTest('in all but name, the kernel’s refusal is explained', async () => {
    using bpffs = mountBpffs();
    using map = createMap({ type: 'hash', keySize: 20, valueSize: 48, maxEntries: 1 });
    map.pin(join(bpffs.globals, 'cilium_lxc'));
    // Somebody else's pin, which only a capability opens.
    chownSync(join(bpffs.globals, 'cilium_lxc'), 1000, 1000);
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const argv = [
      '--import',
      'tsx',
      'src/bin/cilium.ts',
      'bpf',
      'endpoint',
      'list',
      '--bpf-root',
      bpffs.root,
    ];
    const result = spawnSync(
      'setpriv',
      [
        '--bounding-set=-all',
        '--inh-caps=-all',
        '--ambient-caps=-all',
        join(root, 'node_modules/node/bin/node'),
        ...argv,
      ],
      { cwd: root, encoding: 'utf8' },
    );
    expect(result.stderr).toBe(
      `Error: open pin ${bpffs.globals}/cilium_lxc: permission denied\nBPF maps need root (CAP_BPF or CAP_SYS_ADMIN): run the command with sudo.\n`,
    );
    expect(result.status).toBe(1);
  });
});
