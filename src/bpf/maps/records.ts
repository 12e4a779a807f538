import { basename } from 'node:path';
import { UserError } from '../../errors.ts';
import { NEWEST_RELEASE, type Release } from '../../model/release.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { globalPath, openGlobal } from '../kernel/pins.ts';
import { entriesOf, readAll, slotsOf, walk } from '../kernel/reader.ts';
import { type MapLayout, type Variant, variantOf } from '../layouts/map-layout.ts';
import type { RecordOf } from '../layouts/struct.ts';
import { decode } from './codec.ts';

/** One decoded entry of a map that has one of these variants. */
export type MapRecord<V extends Variant = Variant> = V extends Variant
  ? { key: RecordOf<V['key']>; value: RecordOf<V['value']> }
  : never;

/** One decoded entry of a per-CPU map: one value per possible CPU. */
export type SlotRecord<V extends Variant = Variant> = V extends Variant
  ? { key: RecordOf<V['key']>; values: RecordOf<V['value']>[] }
  : never;

/**
 * The variant that a map has; fails when it has other sizes than any release of the agent gave it. The release matters
 * where variants of the same sizes differ.
 */
export function requireVariant<V extends Variant>(
  map: BpfMap,
  layout: MapLayout<V>,
  release: Release = NEWEST_RELEASE,
): V {
  const { keySize, valueSize } = map.info;
  const variant = variantOf(layout, { pin: basename(map.label), keySize, valueSize }, release);
  if (variant) return variant;
  throw unknownSizes(map);
}

/** The error of a map that has other sizes than any release of the agent gave it. */
export function unknownSizes({ label, info: { keySize, valueSize } }: BpfMap): UserError {
  return new UserError(
    `${label} has keys of ${keySize} and values of ${valueSize} bytes, which no known release gave it`,
    { hint: `See its bytes with "cilium bpf maps dump ${label}".` },
  );
}

/** Decodes all entries of a map, in the map's order. Not for per-CPU maps, whose values are slots. */
export async function readRecords<V extends Variant>(
  map: BpfMap,
  layout: MapLayout<V>,
  release?: Release,
): Promise<MapRecord<V>[]>;
export async function readRecords(map: BpfMap, layout: MapLayout, release?: Release): Promise<MapRecord[]> {
  const { key, value } = requireVariant(map, layout, release);
  const records: MapRecord[] = [];
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch))
      records.push({ key: decode(key, entry.key), value: decode(value, entry.value) });
  return records;
}

/** Decodes all entries of a per-CPU map. */
export async function readSlots<V extends Variant>(
  map: BpfMap,
  layout: MapLayout<V>,
  release?: Release,
): Promise<SlotRecord<V>[]>;
export async function readSlots(map: BpfMap, layout: MapLayout, release?: Release): Promise<SlotRecord[]> {
  const { key, value } = requireVariant(map, layout, release);
  const records: SlotRecord[] = [];
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch))
      records.push({
        key: decode(key, entry.key),
        values: Array.from(slotsOf(entry.value, value.size), (slot) => decode(value, slot)),
      });
  return records;
}

/** Fails when new keys do not fit into a map that drops nothing by itself: what the kernel would say of the write. */
export async function requireRoom(map: BpfMap, keys: readonly Buffer[]): Promise<void> {
  if (/lru/.test(map.info.type)) return;
  const present = new Set((await readAll(map)).map(({ key }) => key.toString('hex')));
  const added = keys.filter((key) => !present.has(key.toString('hex'))).length;
  if (added === 0 || present.size + added <= map.info.maxEntries) return;
  throw new UserError(`${map.label} is full: it holds ${present.size} of ${map.info.maxEntries} entries`, {
    hint: 'Entries that exist can still be changed.',
  });
}

/** Opens the newest pin of a map; undefined when none of its pins is there. */
export function openPinned(
  bpfRoot: string,
  { variants }: MapLayout,
  options: { write?: boolean } = {},
): BpfMap | undefined {
  for (const { pins } of variants)
    for (const pin of pins) {
      const map = openGlobal(bpfRoot, pin, options);
      if (map) return map;
    }
  return undefined;
}

/**
 * Opens all pins of a map, newest first, where releases write several of which the datapath asks one after the other. A
 * missing one is an error in the reference's words.
 */
export function requireAllPinned(
  bpfRoot: string,
  layout: MapLayout,
  { doing, ...options }: { write?: boolean; doing: string },
): BpfMap[] {
  const maps = layout.variants
    .flatMap(({ pins }) => pins)
    .flatMap((pin) => openGlobal(bpfRoot, pin, options) ?? []);
  return maps.length > 0 ? maps : [requirePinned(bpfRoot, layout, { doing })];
}

/** As openPinned, but a missing pin is an error in the reference's words. */
export function requirePinned(
  bpfRoot: string,
  layout: MapLayout,
  { doing = 'dumping contents of map', ...options }: { write?: boolean; doing?: string } = {},
): BpfMap {
  const map = openPinned(bpfRoot, layout, options);
  if (map) return map;
  const path = globalPath(bpfRoot, layout.variants[0]?.pins[0] ?? '');
  throw new UserError(`error ${doing}: loading pinned map ${path}: no such file or directory`, {
    hint: 'The agent pins it only where the feature is on.',
  });
}

/** Decodes all entries of a map that the agent may pin; undefined when it does not. */
export async function readPinned<V extends Variant>(
  bpfRoot: string,
  layout: MapLayout<V>,
): Promise<MapRecord<V>[] | undefined> {
  using map = openPinned(bpfRoot, layout);
  return map && (await readRecords(map, layout));
}

/** As readPinned, but a missing pin is an error in the reference's words. */
export async function readRequired<V extends Variant>(
  bpfRoot: string,
  layout: MapLayout<V>,
  release?: Release,
): Promise<MapRecord<V>[]> {
  using map = requirePinned(bpfRoot, layout);
  return await readRecords(map, layout, release);
}
