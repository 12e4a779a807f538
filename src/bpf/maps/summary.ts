import { basename } from 'node:path';
import type { BpfMapRow } from '../../model/bpf-map.ts';
import { KernelError } from '../kernel/errors.ts';
import { mapFlagWords } from '../kernel/info.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { type BrokenPin, isMap, openPins } from '../kernel/pins.ts';
import { countEntries } from '../kernel/reader.ts';
import { endpointOf, knownMap } from '../layouts/catalogue.ts';

const ALWAYS_FULL = new Set(['array', 'percpu_array']);
/** Kinds whose entries are what is set in them, walked like a hash. */
const COUNTED = new Set([
  'hash',
  'percpu_hash',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'hash_of_maps',
  'array_of_maps',
  'prog_array',
]);
/** Kinds of which each entry takes part of a capacity that may run out. */
const HAS_PRESSURE = /hash|lpm_trie/;

/** Describes all pinned maps below `root`. `count: false` leaves out the walks. */
export async function* summarizeMaps(
  root: string,
  options: { count: boolean; onBroken: (pin: BrokenPin) => void },
): AsyncGenerator<BpfMapRow> {
  for (const { path, object } of openPins(root, options.onBroken)) {
    if (!isMap(object)) continue;
    try {
      yield await summarize(object, path, options.count);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      options.onBroken({ path, error });
    }
  }
}

async function summarize(map: BpfMap, path: string, count: boolean): Promise<BpfMapRow> {
  const { info } = map;
  const name = basename(path);
  const entries = count ? await entriesIn(map) : undefined;
  const pressure =
    entries !== undefined && HAS_PRESSURE.test(info.type) && info.maxEntries > 0
      ? Math.round((entries / info.maxEntries) * 10_000) / 100
      : undefined;
  return {
    name,
    type: info.type,
    keySize: info.keySize,
    valueSize: info.valueSize,
    entries,
    maxEntries: info.maxEntries,
    pressure,
    memoryBytes: map.memoryBytes(),
    flags: mapFlagWords(info.flags),
    id: info.id,
    feature: knownMap(name)?.feature ?? '',
    endpoint: endpointOf(name),
    programs: [],
    path,
  };
}

async function entriesIn(map: BpfMap): Promise<number | undefined> {
  if (ALWAYS_FULL.has(map.info.type)) return map.info.maxEntries;
  return COUNTED.has(map.info.type) ? countEntries(map) : undefined;
}
