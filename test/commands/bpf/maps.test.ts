import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openMap } from '../../../src/bpf/kernel/objects.ts';
import { missingKernel, mountBpffs, pinNew, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { run } from '../../helpers/run.ts';

let bpffs: TestBpffs | undefined;
beforeAll(() => {
  if (missingKernel() === undefined) bpffs = mountBpffs();
});
afterAll(() => bpffs?.[Symbol.dispose]());
const root = () => bpffs?.root ?? '';
const globals = (name: string) => join(bpffs?.globals ?? '', name);

/** Programs of this machine that use maps of the agent's names are none of the test's business. */
function withoutForeign(stderr: string): string {
  return stderr.replaceAll(
    /^Warning: .* but loaded programs use map \d+ of that name: see cilium doctor\.\n/gm,
    '',
  );
}

describe('bpf maps list', () => {
  test('needs root', async () => {
    const result = await run(['bpf', 'maps', 'list'], { uid: 1000 });
    expect(result).toEqual({
      stdout: '',
      stderr: 'Error: Please run "cilium bpf maps list" command(s) with root privileges.\n',
      code: 1,
    });
  });

  kernelTest('says that nothing is pinned', async () => {
    const result = await run(['bpf', 'maps', 'list', '--bpf-root', root()]);
    expect(result).toEqual({ stdout: '', stderr: `No maps are pinned below ${root()}.\n`, code: 0 });
  });

  kernelTest('says when the folder is no bpffs', async () => {
    const result = await run(['bpf', 'maps', 'list', '--bpf-root', '/tmp']);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe(
      'Error: /tmp is not a BPF file system\nMount one (mount -t bpf bpf /tmp), or name another folder with --bpf-root.\n',
    );
  });

  kernelTest('lists kind, sizes, use and owner of every pinned map', async () => {
    pinNew(globals('cilium_lxc'), { type: 'hash', keySize: 20, valueSize: 48, maxEntries: 4 });
    pinNew(globals('cilium_policy_v2_00356'), {
      type: 'lpm_trie',
      keySize: 12,
      valueSize: 12,
      maxEntries: 256,
      flags: 1,
    });
    pinNew(globals('cilium_runtime_config'), { type: 'array', keySize: 4, valueSize: 8, maxEntries: 256 });
    pinNew(join(root(), 'mine'), { type: 'hash', keySize: 1, valueSize: 1, maxEntries: 1 });
    using endpoints = openMap(globals('cilium_lxc'), { write: true });
    for (const last of [1, 2, 3]) {
      const key = Buffer.alloc(20);
      key.writeUInt8(last, 3);
      endpoints.update(key, Buffer.alloc(48));
    }
    const result = await run(['bpf', 'maps', 'list', '--bpf-root', root(), '--sort', '-entries']);
    expect(withoutForeign(result.stderr)).toBe('');
    const [header = '', ...rows] = result.stdout.trimEnd().split('\n');
    expect(header.trim().split(/\s{2,}/)).toEqual(
      'NAME,TYPE,KEY,VALUE,ENTRIES,MAX,PRESSURE,MEMORY,FLAGS,ID,PROGS,OWNER,PATH'.split(','),
    );
    const seen = rows.map((row) =>
      row
        .trim()
        .split(/\s{3,}/)
        .filter((_, i) => i !== 7 && i !== 9 && i !== 10),
    );
    expect(seen).toEqual([
      [
        'cilium_runtime_config',
        'array',
        '4',
        '8',
        '256',
        '256',
        '-',
        '-',
        'config',
        globals('cilium_runtime_config'),
      ],
      ['cilium_lxc', 'hash', '20', '48', '3', '4', '75.0%', '-', 'endpoints', globals('cilium_lxc')],
      [
        'cilium_policy_v2_00356',
        'lpm_trie',
        '12',
        '12',
        '0',
        '256',
        '0.0%',
        'no_prealloc',
        'policy, endpoint 356',
        globals('cilium_policy_v2_00356'),
      ],
      ['mine', 'hash', '1', '1', '0', '1', '0.0%', '-', '-', join(root(), 'mine')],
    ]);
  });

  kernelTest('gives the same facts as JSON', async () => {
    const result = await run(['bpf', 'maps', 'list', '--bpf-root', root(), '-o', 'json', '--no-count']);
    const rows: unknown = JSON.parse(result.stdout);
    expect(rows).toContainEqual({
      name: 'cilium_policy_v2_00356',
      type: 'lpm_trie',
      keySize: 12,
      valueSize: 12,
      entries: null,
      maxEntries: 256,
      pressurePercent: null,
      memoryBytes: expect.any(Number),
      flags: ['no_prealloc'],
      id: expect.any(Number),
      feature: 'policy',
      endpoint: 356,
      programs: [],
      path: globals('cilium_policy_v2_00356'),
    });
  });

  kernelTest('looks again and again with --watch, until it is stopped', async () => {
    const stop = new AbortController();
    let looks = 0;
    const result = await run(['bpf', 'maps', 'list', '--bpf-root', root(), '--watch'], {
      signal: stop.signal,
      columns: 80,
      onStdout: (text) => text.includes('\u001b[H') && ++looks === 3 && stop.abort(),
    });
    expect(looks).toBe(3);
    expect(result.stdout).toContain('Every 2s');
    expect(result.code).toBe(0);
  });
});
