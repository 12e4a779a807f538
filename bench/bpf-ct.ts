// Dumps conntrack entries of real maps: ours against bpftool, in the same run. Needs root, BPF and bpftool.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createMap } from '../src/bpf/kernel/objects.ts';
import { missingKernel, mountBpffs } from '../test/helpers/bpf.ts';
import { type BenchOptions, type Budget, CILIUM, cpuInTurns, notMeasured, shareOf } from './lib-budget.ts';
import { type Measured, measureRun, table } from './lib-measure.ts';

const SIZES = [200_000, 1_000_000];
const MAX_RATIO = 0.5;
const MAX_MB = 120;

const BUDGETS = [
  { work: 'bpf ct list of 200,000', goal: 0.15, flags: [] },
  { work: 'bpf ct list of 200,000, -o json', goal: 0.25, flags: ['-o', 'json'] },
];

/** Measures the rows of the table. */
export async function rows({ runs }: BenchOptions): Promise<Budget[]> {
  const missing = missingParts();
  if (missing !== undefined) return BUDGETS.map(({ work, goal }) => notMeasured(work, goal, missing));
  using bpffs = mountBpffs();
  const pin = join(bpffs.globals, 'cilium_ct4_global');
  fill(200_000, pin);
  const dump = { name: 'bpftool', command: 'bpftool', args: ['-j', 'map', 'dump', 'pinned', pin] };
  const ours = BUDGETS.map(({ work, flags }) => ({
    name: work,
    command: CILIUM,
    args: [...listIn(bpffs.root), ...flags],
  }));
  const [bpftool = 1, ...seconds] = await cpuInTurns([dump, ...ours], { runs: 2 * runs });
  return BUDGETS.map(({ work, goal }, i) =>
    shareOf(work, goal, [seconds[i] ?? 0, bpftool], 'bpftool -j map dump', 'bpf'),
  );
}

function missingParts(): string | undefined {
  return missingKernel() ?? (hasBpftool() ? undefined : 'bpftool is not installed');
}

function listIn(root: string): string[] {
  return ['bpf', 'ct', 'list', 'global', '--bpf-root', root, '--agent-release', '1.20'];
}

/** Prints times, ratios to bpftool and peak memory. */
export async function run(): Promise<void> {
  const missing = missingParts();
  if (missing !== undefined) return console.log(`skipped: ${missing}`);
  const rows: string[][] = [];
  for (const entries of SIZES) rows.push(...(await measure(entries)));
  console.log(table(['entries', 'command', 'ms', 'peak MB', 'of bpftool', 'budget'], rows));
}

async function measure(entries: number): Promise<string[][]> {
  using bpffs = mountBpffs();
  const pin = join(bpffs.globals, 'cilium_ct4_global');
  fill(entries, pin);
  const ours = listIn(bpffs.root);
  const reference = await measureRun('bpftool', ['-j', 'map', 'dump', 'pinned', pin]);
  const text = await measureRun(CILIUM, ours);
  const json = await measureRun(CILIUM, [...ours, '-o', 'json']);
  const row = (command: string, measured: Measured, judged = false) => {
    const ratio = measured.medianMs / reference.medianMs;
    const met = ratio <= MAX_RATIO && measured.peakMb <= MAX_MB;
    return [
      String(entries),
      command,
      measured.medianMs.toFixed(0),
      measured.peakMb.toFixed(0),
      ratio.toFixed(2),
      judged ? `${met ? 'met' : 'missed'} (≤ ${MAX_RATIO}, ≤ ${MAX_MB} MB)` : '',
    ];
  };
  for (const { exitCode } of [reference, text, json]) if (exitCode !== 0) throw new Error('a dump failed');
  return [
    row('bpftool -j map dump', reference),
    row('bpf ct list global', text, true),
    row('bpf ct list global -o json', json, true),
  ];
}

/** Pins a map of TCP connections between pods, both directions of each. */
function fill(entries: number, pin: string): void {
  using map = createMap({
    type: 'lru_hash',
    keySize: 14,
    valueSize: 56,
    // An LRU evicts before it is full.
    maxEntries: Math.ceil(entries * 1.5),
    name: 'cilium_ct4_global',
  });
  const key = Buffer.alloc(14);
  const value = Buffer.alloc(56);
  for (let i = 0; i < entries; i++) {
    key.writeUInt32BE(0x0a000000 + ((i >> 1) % 60_000), 0);
    key.writeUInt32BE(0x0a010000 + ((i >> 1) % 251), 4);
    key.writeUInt16BE(8080, 8);
    key.writeUInt16BE(1024 + (Math.floor((i >> 1) / 60_000) % 60_000), 10);
    key[12] = 6;
    key[13] = i & 1;
    value.writeUInt32LE(3600 + (i % 8000), 32);
    value.writeUInt16LE(0x13, 36);
    value[42] = 3;
    value[43] = 3;
    value.writeUInt32LE(10_000 + (i % 500), 44);
    value.writeUInt32LE(3600, 48);
    value.writeUInt32LE(3600, 52);
    map.update(key, value);
  }
  map.pin(pin);
}

function hasBpftool(): boolean {
  return spawnSync('bpftool', ['version']).status === 0;
}
