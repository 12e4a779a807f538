import { UserError } from '../errors.ts';
import { AsciiWriter } from './layouts/ascii.ts';
import type { Generation } from './layouts/catalogue.ts';
import {
  type ConntrackText,
  conntrackJson,
  natJson,
  tupleFamily,
  writeConntrackLines,
} from './layouts/conntrack.ts';
import { ctEntry, natEntry4, natEntry6 } from './layouts/structs.ts';
import type { BpfMap } from './objects.ts';
import { type Batch, walk } from './reader.ts';

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

/** Entries of a conntrack map in the reference's JSON form. */
export async function* conntrackObjects(
  map: BpfMap,
  generation: Generation,
  wanted: (batch: Batch, i: number, family: 4 | 6) => boolean = () => true,
): AsyncGenerator<Record<string, unknown>> {
  const family = conntrackFamily(map);
  for await (const batch of walk(map))
    for (let i = 0; i < batch.count; i++)
      if (wanted(batch, i, family)) yield conntrackJson(batch, i, { family, generation });
}

/** Entries of a NAT map in the reference's JSON form. */
export async function* natObjects(map: BpfMap): AsyncGenerator<Record<string, unknown>> {
  const family = natFamily(map);
  for await (const batch of walk(map)) for (let i = 0; i < batch.count; i++) yield natJson(batch, i, family);
}
