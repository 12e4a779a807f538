import { basename } from 'node:path';
import { exactNumber } from '../../lib/uint.ts';
import type { Release } from '../../model/release.ts';
import { Btf } from '../kernel/btf.ts';
import { KernelError } from '../kernel/errors.ts';
import { type BpfMap, readBtf } from '../kernel/objects.ts';
import { entriesOf, slotsOf, walk } from '../kernel/reader.ts';
import { knownMap } from '../layouts/catalogue.ts';
import { type MapLayout, type Variant, variantOf } from '../layouts/map-layout.ts';
import { decode } from './codec.ts';

/** Decodes the bytes of keys and of single values. */
interface Decoder {
  key: (raw: Buffer) => unknown;
  value: (raw: Buffer) => unknown;
}

/** One entry as it is dumped: per-CPU maps have `values`, one per possible CPU. */
export interface DumpedEntry {
  key: unknown;
  value?: unknown;
  values?: unknown[];
}

export interface DumpOptions {
  release: Release;
  /** Hex, whatever is known about the map. */
  raw: boolean;
}

const HEX: Decoder = { key: (raw) => raw.toString('hex'), value: (raw) => raw.toString('hex') };

/**
 * All entries of a map, in its order: decoded by the agent's layouts when the pin is one of its maps, else by the type
 * information that the map was loaded with, else as hex.
 */
export async function* dumpMap(map: BpfMap, options: DumpOptions): AsyncGenerator<DumpedEntry> {
  const decoder = options.raw ? HEX : decoderOf(map, options.release);
  for await (const batch of walk(map))
    for (const { key, value } of entriesOf(batch)) {
      if (!map.isPerCpu) yield { key: decoder.key(key), value: decoder.value(value) };
      else
        yield {
          key: decoder.key(key),
          values: Array.from(slotsOf(value, map.info.valueSize), (slot) => decoder.value(slot)),
        };
    }
}

/** The map of the agent that a map is, by the name of its pin or by its own. */
export function layoutOf(map: BpfMap): MapLayout | undefined {
  return knownMap(basename(map.label)) ?? knownMap(map.info.name);
}

function decoderOf(map: BpfMap, release: Release): Decoder {
  const known = layoutOf(map);
  const variant = known && variantOf(known, { pin: basename(map.label), ...map.info }, release);
  return variant ? byLayout(variant) : (byTypes(map) ?? HEX);
}

function byLayout({ key, value }: Variant): Decoder {
  return { key: (raw) => plain(decode(key, raw)), value: (raw) => plain(decode(value, raw)) };
}

/** u64 as numbers where those are exact. */
function plain(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, field]) => [
      name,
      typeof field === 'bigint' ? exactNumber(field) : field,
    ]),
  );
}

function byTypes(map: BpfMap): Decoder | undefined {
  const { btfId, btfKeyTypeId, btfValueTypeId } = map.info;
  if (btfId === 0 || btfValueTypeId === 0) return undefined;
  const types = readTypes(btfId);
  if (!types) return undefined;
  const decode = (id: number) => (raw: Buffer) => types.decode(id, raw) ?? raw.toString('hex');
  return { key: decode(btfKeyTypeId), value: decode(btfValueTypeId) };
}

/** Types are a help, not a need: without those the bytes are shown. */
function readTypes(id: number): Btf | undefined {
  try {
    return Btf.parse(readBtf(id));
  } catch (error) {
    if (error instanceof KernelError) return undefined;
    throw error;
  }
}
