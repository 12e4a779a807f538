/**
 * Entries of conntrack and NAT maps as JSON, written straight into bytes: the objects of a million entries would make
 * hundreds of megabytes of garbage. The text around the numbers comes from one real object, so both are the same.
 */
import type { Release } from '../../model/release.ts';
import type { Batch } from '../kernel/reader.ts';
import { type AsciiWriter, ascii } from './ascii.ts';
import { conntrackJson, natJson } from './conntrack.ts';

/** A number of an entry: where it lies, and how many bytes it has, in host order. */
interface Place {
  of: 'keys' | 'values';
  at: number;
  size: 1 | 2 | 4 | 8;
}

/** Writes one entry, indented as an element of a list, without a comma. */
export type EntryWriter = (out: AsciiWriter, batch: Batch, i: number) => void;

/** Longest entry: 45 numbers, each on a line of its own. */
const LONGEST_ENTRY = 4096;

/** The writer of conntrack entries. */
export function conntrackEntryWriter(family: 4 | 6, release: Release): EntryWriter {
  const value: Place[] = [0, 8, 16, 24].map((at) => ({ of: 'values', at, size: 8 }));
  value.push(
    { of: 'values', at: 32, size: 4 },
    { of: 'values', at: 36, size: 2 },
    { of: 'values', at: 38, size: 2 },
    { of: 'values', at: 40, size: 2 },
    { of: 'values', at: 42, size: 1 },
    { of: 'values', at: 43, size: 1 },
    { of: 'values', at: 44, size: 4 },
    { of: 'values', at: 48, size: 4 },
    { of: 'values', at: 52, size: 4 },
  );
  const sample = conntrackJson(zeros(family, 56), 0, { family, release });
  return entryWriter(sample, [...tuplePlaces(family), ...value]);
}

/** The writer of NAT entries. */
export function natEntryWriter(family: 4 | 6): EntryWriter {
  const size = family === 4 ? 4 : 16;
  const value: Place[] = [0, 8, 16, 24].map((at) => ({ of: 'values', at, size: 8 }));
  for (let i = 0; i < size; i++) value.push({ of: 'values', at: 32 + i, size: 1 });
  value.push({ of: 'values', at: 32 + size, size: 2 });
  const sample = natJson(zeros(family, family === 4 ? 40 : 56), 0, family);
  return entryWriter(sample, [...tuplePlaces(family), ...value]);
}

function tuplePlaces(family: 4 | 6): Place[] {
  const size = family === 4 ? 4 : 16;
  const places: Place[] = [];
  for (let at = 0; at < 2 * size; at++) places.push({ of: 'keys', at, size: 1 });
  places.push(
    { of: 'keys', at: 2 * size, size: 2 },
    { of: 'keys', at: 2 * size + 2, size: 2 },
    { of: 'keys', at: 2 * size + 4, size: 1 },
    { of: 'keys', at: 2 * size + 5, size: 1 },
  );
  return places;
}

function zeros(family: 4 | 6, valueSize: number): Batch {
  const keySize = family === 4 ? 14 : 38;
  return {
    count: 1,
    keys: Buffer.alloc(keySize),
    values: Buffer.alloc(valueSize),
    keySize,
    valueStride: valueSize,
  };
}

function entryWriter(sample: Record<string, unknown>, places: readonly Place[]): EntryWriter {
  // Every number of the sample is a 0 that ends its line.
  const pieces = JSON.stringify([sample], undefined, 2)
    .slice(2, -2)
    .split(/(?<= )0(?=,?\n)/)
    .map(ascii);
  if (pieces.length !== places.length + 1) throw new Error('the places of an entry do not fit its form');
  return (out, { keys, values, keySize, valueStride }, i) => {
    out.reserve(LONGEST_ENTRY);
    for (let n = 0; n < places.length; n++) {
      out.put(pieces[n] ?? EMPTY);
      const place = places[n];
      if (place?.of === 'keys') out.integer(read(keys, i * keySize + place.at, place.size));
      else if (place) out.integer(read(values, i * valueStride + place.at, place.size));
    }
    out.put(pieces[places.length] ?? EMPTY);
  };
}

const EMPTY = new Uint8Array();

function read(raw: Buffer, at: number, size: Place['size']): number | bigint {
  if (size === 1) return raw[at] ?? 0;
  if (size === 2) return raw.readUInt16LE(at);
  if (size === 4) return raw.readUInt32LE(at);
  const high = raw.readUInt32LE(at + 4);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + raw.readUInt32LE(at) : raw.readBigUInt64LE(at);
}
