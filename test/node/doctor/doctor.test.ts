import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { openMap } from '../../../src/bpf/kernel/objects.ts';
import type { Diagnosis } from '../../../src/model/doctor.ts';
import { mountBpffs, pinNew, type RecordedMap, restoreMap } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { fixture, type RestCase } from '../../helpers/recordings.ts';
import { type Replay, replay } from '../../helpers/replay.ts';
import { type RunResult, run } from '../../helpers/run.ts';

const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.20.json');
const cases = fixture<RestCase[]>('recordings/agent-1.20.json');
const exchangesOf = (command: string) => cases.find((c) => c.argv.join(' ') === command)?.exchanges ?? [];

function agent(): Promise<Replay> {
  return replay([...exchangesOf('endpoint list'), ...exchangesOf('identity list'), ...exchangesOf('status')]);
}

const OF_INTEREST = /cilium_(policy_v2_\d+|lxc|ipcache_v2)$/;

async function doctor(
  root: string,
  change: (globals: string) => void,
  words: string[] = [],
): Promise<RunResult> {
  await using server = await agent();
  change(join(root, 'tc/globals'));
  return await run(['doctor', '-o', 'json', '--bpf-root', root, ...words], {
    env: { CILIUM_SOCK: server.socket },
  });
}

function found({ stdout }: RunResult, check: string): Diagnosis[] {
  return (JSON.parse(stdout) as Diagnosis[]).filter((finding) => finding.check === check);
}

describe('a node as it was recorded, its maps restored', () => {
  // Programs are the whole kernel's, whoever loaded them: what depends on them is tested in checks.test.ts.
  kernelTest('is found in order where the agent and the maps agree', async () => {
    using bpffs = mountBpffs();
    const result = await doctor(bpffs.root, (globals) => {
      for (const map of maps.filter(({ path }) => OF_INTEREST.test(path))) restoreMap(map, globals);
    });
    expect(result.stderr).toBe('');
    expect(found(result, 'agent')).toEqual([]);
    const ofMaps = [
      'pins',
      'map pressure',
      'policy maps',
      'orphaned pins',
      'endpoint map',
      'ipcache',
      'policy identities',
    ];
    for (const check of ofMaps)
      expect(found(result, check)).toEqual([expect.objectContaining({ severity: 'ok' })]);
  });

  kernelTest('shows what was taken out, what was left over and what is full', async () => {
    using bpffs = mountBpffs();
    const result = await doctor(bpffs.root, (globals) => {
      for (const map of maps.filter(
        ({ path }) => OF_INTEREST.test(path) && !path.endsWith('policy_v2_02622'),
      ))
        restoreMap(map, globals);
      using lxc = openMap(join(globals, 'cilium_lxc'), { write: true });
      const entry = maps
        .find(({ path }) => path.endsWith('/cilium_lxc'))
        ?.entries?.find(([key]) => key.startsWith('0a0b07b3'));
      lxc.delete(Buffer.from(entry?.[0] ?? '', 'hex'));
      pinNew(join(globals, 'cilium_policy_v2_09999'), {
        type: 'hash',
        keySize: 12,
        valueSize: 12,
        maxEntries: 4,
      });
      pinNew(join(globals, 'cilium_full'), { type: 'hash', keySize: 4, valueSize: 4, maxEntries: 4 });
      using full = openMap(join(globals, 'cilium_full'), { write: true });
      for (let i = 0; i < 4; i++) full.update(Buffer.from([i, 0, 0, 0]), Buffer.alloc(4));
    });
    expect(result.code).toBe(1);
    expect(found(result, 'policy maps')).toEqual([
      expect.objectContaining({
        severity: 'failure',
        what: 'endpoint 2622 (default/api-5c6) is ready and has no policy map',
      }),
    ]);
    expect(found(result, 'endpoint map')[0]?.what).toBe(
      '10.11.7.179 of endpoint 2622 (default/api-5c6) is not in cilium_lxc',
    );
    expect(found(result, 'orphaned pins')[0]?.evidence).toEqual([
      expect.stringMatching(/cilium_policy_v2_09999$/),
    ]);
    expect(found(result, 'map pressure')[0]).toMatchObject({
      severity: 'failure',
      what: 'cilium_full is 100.0 % full',
    });
  });

  kernelTest('is looked at without an agent too, and says so', async () => {
    using bpffs = mountBpffs();
    const { stdout, code } = await run(['doctor', '--bpf-root', bpffs.root], {
      env: { CILIUM_SOCK: '/nowhere/agent.sock' },
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^failure {2}agent: the agent does not answer\n/);
    expect(stdout).toContain('skipped  policy maps: the agent does not answer');
    expect(stdout).toMatch(/1 failures, \d+ warnings, 3 checks fine, 7 skipped\n$/);
  });
});
