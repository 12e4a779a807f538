import { UserError } from '../../errors.ts';
import type { Release } from '../../model/release.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { type Batch, walk } from '../kernel/reader.ts';
import { AsciiWriter } from '../layouts/ascii.ts';
import {
  type ConnectionFilter,
  type ConntrackText,
  conntrackJson,
  decodeConnection,
  matchesConnection,
  natJson,
  tupleFamily,
  writeConntrackLines,
} from '../layouts/conntrack.ts';
import { conntrackEntryWriter, type EntryWriter, natEntryWriter } from '../layouts/json-lines.ts';
import { ctEntry, natEntry4, natEntry6 } from '../layouts/structs.ts';

/** Entries per piece of text: few enough for little memory, many enough for large writes. */
const LINES_BATCH = 2048;
const LINES_BYTES = 1 << 20;

/** IP version of an open conntrack or NAT map; fails when its entries have another size than any release's. */
function familyOf(map: BpfMap, valueSize: (family: 4 | 6) => number): 4 | 6 {
  const family = tupleFamily(map.info.keySize);
  if (family !== undefined && map.info.valueSize === valueSize(family)) return family;
  throw new UserError(
    `${map.label} has keys of ${map.info.keySize} and values of ${map.info.valueSize} bytes, which no release gave it`,
    { hint: `See its bytes with "cilium bpf maps dump ${map.label}".` },
  );
}

export function conntrackFamily(map: BpfMap): 4 | 6 {
  return familyOf(map, () => ctEntry.size);
}

export function natFamily(map: BpfMap): 4 | 6 {
  return familyOf(map, (family) => (family === 4 ? natEntry4.size : natEntry6.size));
}

/** The lines of a conntrack map as bytes, some thousand at a time; each piece is valid until the next one. */
export async function* conntrackText(
  map: BpfMap,
  how: Omit<ConntrackText, 'family'>,
): AsyncGenerator<Buffer> {
  const family = conntrackFamily(map);
  const out = new AsciiWriter(LINES_BYTES);
  for await (const batch of walk(map, { size: LINES_BATCH })) {
    writeConntrackLines(out, batch, { ...how, family });
    if (out.length > 0) yield out.take();
  }
}

/** The entries of a map in the reference's JSON form: as objects, and written straight into bytes. */
export interface JsonEntries {
  batches: AsyncIterable<Batch>;
  wanted(batch: Batch, i: number): boolean;
  toJson(batch: Batch, i: number): Record<string, unknown>;
  write: EntryWriter;
}

export function conntrackEntries(map: BpfMap, release: Release, filter?: ConnectionFilter): JsonEntries {
  const family = conntrackFamily(map);
  return {
    batches: walk(map, { size: LINES_BATCH }),
    wanted: ({ keys, keySize }, i) =>
      !filter || matchesConnection(decodeConnection(keys, i * keySize, family), filter),
    toJson: (batch, i) => conntrackJson(batch, i, { family, release }),
    write: conntrackEntryWriter(family, release),
  };
}

export function natEntries(map: BpfMap): JsonEntries {
  const family = natFamily(map);
  return {
    batches: walk(map, { size: LINES_BATCH }),
    wanted: () => true,
    toJson: (batch, i) => natJson(batch, i, family),
    write: natEntryWriter(family),
  };
}
