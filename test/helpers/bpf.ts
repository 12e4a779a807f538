import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MAP_TYPES } from '../../src/bpf/kernel/info.ts';
import { type BpfMap, createMap } from '../../src/bpf/kernel/objects.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A private bpffs in a temporary folder. Unmounting drops all that is pinned in it. */
export interface TestBpffs extends Disposable {
  root: string;
  /** tc/globals below the root, where the agent pins its maps. */
  globals: string;
}

/** Mounts a private bpffs. */
export function mountBpffs(): TestBpffs {
  buildHelper();
  const root = mkdtempSync(join(tmpdir(), 'bpffs-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'bpf', 'bpf', root], { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(root, { recursive: true });
    throw new Error(`mount a bpffs at ${root}: ${stderr.trim()}`);
  }
  const globals = join(root, 'tc/globals');
  mkdirSync(globals, { recursive: true });
  return {
    root,
    globals,
    [Symbol.dispose]() {
      spawnSync('umount', [root]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

let built = false;

/** Compiles the C helper when its sources are newer. */
export function buildHelper(): void {
  if (built) return;
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/build-native.mjs')], {
    encoding: 'utf8',
  });
  if (status !== 0 || !existsSync(join(ROOT, 'build/bpf.node')))
    throw new Error(`build the BPF helper: ${stderr}`);
  built = true;
}

/** Why kernel tests cannot run here; undefined when they can. */
export function missingKernel(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  try {
    mountBpffs()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A map as a recording holds it: keys and values in hex, per-CPU values as one string per CPU. */
export interface RecordedMap {
  path: string;
  type: (typeof MAP_TYPES)[number];
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  entries?: [key: string, value: string | string[]][];
}

/** Kinds whose values are objects of the kernel: only their sizes are restored. */
const OBJECT_VALUES = /prog_array|perf_event_array|of_maps/;
/** Size of the only value of a Maglev table of 1021 slots. */
const DEFAULT_INNER = 4 * 1021;
/** Large tables are restored with less room than they had: preallocating all of them takes seconds and GiBs. */
const MAX_RESTORED = 70_000;
const BPF_F_NO_COMMON_LRU = 2;

/**
 * Makes a recorded map real: created, filled and pinned below `globals`. Inner maps are not recorded, so a map of maps
 * stays empty; its inner maps must have values of `innerValueSize` bytes.
 */
export function restoreMap(recorded: RecordedMap, globals: string, innerValueSize = DEFAULT_INNER): void {
  const perCpuLru = (recorded.flags & BPF_F_NO_COMMON_LRU) !== 0;
  const inner = /of_maps/.test(recorded.type)
    ? createMap({ type: 'array', keySize: 4, valueSize: innerValueSize, maxEntries: 1 })
    : undefined;
  using map = createMap({
    type: recorded.type,
    keySize: recorded.keySize,
    valueSize: recorded.valueSize,
    maxEntries: Math.min(recorded.maxEntries, perCpuLru ? 65_536 : MAX_RESTORED),
    // Read-only for programs is the kernel's business with programs; it does not change what is read here.
    flags: recorded.flags,
    name: basename(recorded.path),
    ...(inner && { inner }),
  });
  inner?.[Symbol.dispose]();
  if (!OBJECT_VALUES.test(recorded.type))
    for (const [key, value] of recorded.entries ?? [])
      map.update(Buffer.from(key, 'hex'), packValue(value, map, recorded.valueSize));
  map.pin(join(globals, basename(recorded.path)));
}

/** A value as an update takes it; the recording's CPUs are laid out over those of this machine. */
function packValue(value: string | string[], map: BpfMap, valueSize: number): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'hex');
  const stride = (valueSize + 7) & ~7;
  const packed = Buffer.alloc(map.valueStride);
  const slots = packed.length / stride;
  value.forEach((slot, cpu) => {
    if (cpu >= slots) throw new Error(`the recording has more CPUs (${value.length}) than this machine`);
    Buffer.from(slot, 'hex').copy(packed, cpu * stride);
  });
  return packed;
}

/** Makes the folder of a pin and pins a new map there. */
export function pinNew(path: string, spec: Parameters<typeof createMap>[0]): void {
  mkdirSync(dirname(path), { recursive: true });
  using map = createMap({ name: basename(path), ...spec });
  map.pin(path);
}
