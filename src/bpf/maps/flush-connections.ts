import { readUint } from '../../lib/uint.ts';
import type { PackedEntries } from '../../model/bpf-map.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { walk } from '../kernel/reader.ts';
import { CT_FLAGS, TUPLE_FLAG } from '../layouts/conntrack.ts';
import type { Field } from '../layouts/struct.ts';
import { conntrackVariant, natVariant } from './connections.ts';

const DSR = 1 << CT_FLAGS.indexOf('DSRInternal');

/**
 * Deletes all connections of a map, and with those that went out their translations in the NAT map of the same family, as
 * the agent does when connections end. Returns how many connections were deleted.
 */
export async function flushConnections(map: BpfMap, nat: BpfMap | undefined): Promise<number> {
  const translations = nat && translationsIn(nat, map);
  let deleted = 0;
  for await (const batch of walk(map)) {
    const gone = translations ? [...translations(batch)] : [];
    deleted += map.deleteMany(batch.keys.subarray(0, batch.count * batch.keySize));
    if (gone.length > 0) nat?.deleteMany(Buffer.concat(gone));
  }
  return deleted;
}

/** Finds the keys of the translations, there and back, that a batch of connections has. */
function translationsIn(nat: BpfMap, map: BpfMap): (batch: PackedEntries) => Generator<Buffer> {
  const { key, value } = conntrackVariant(map);
  const { source, destination, sourcePort, destinationPort, flags } = key.fields;
  const { address, port } = natVariant(nat).value.fields;
  return function* ({ count, keys, values, keySize, valueStride }) {
    for (let i = 0; i < count; i++) {
      const tuple = keys.subarray(i * keySize, (i + 1) * keySize);
      if (tuple[flags.at] !== 0) continue;
      const out = Buffer.from(tuple);
      const bits = Number(readUint(values, i * valueStride + value.fields.flags.at, value.fields.flags.size));
      if (bits & DSR) {
        put(out, sourcePort, tuple, destinationPort);
        put(out, destinationPort, tuple, sourcePort);
        yield out;
        continue;
      }
      // Conntrack maps hold the addresses exchanged, NAT maps do not.
      put(out, source, tuple, destination);
      put(out, destination, tuple, source);
      const entry = nat.lookup(out);
      if (!entry) continue;
      const back = Buffer.from(out);
      put(back, source, out, destination);
      put(back, sourcePort, out, destinationPort);
      put(back, destination, entry, address);
      put(back, destinationPort, entry, port);
      back[flags.at] = TUPLE_FLAG.in;
      yield* [out, back];
    }
  };
}

function put(to: Buffer, into: Field, from: Buffer, field: Field): void {
  to.set(from.subarray(field.at, field.at + field.size), into.at);
}
