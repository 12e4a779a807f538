import { UserError } from '../../errors.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { entriesOf, slotsOf, walk } from '../kernel/reader.ts';
import type { Layout } from '../layouts/fields.ts';

/** One decoded entry of a map. */
export interface MapRecord<K, V> {
  key: K;
  value: V;
}

/** Whether a map has these layouts, by the sizes that the kernel reports. */
export function fits(map: BpfMap, key: Layout<unknown>, value: Layout<unknown>): boolean {
  return map.info.keySize === key.size && map.info.valueSize === value.size;
}

/** Fails when a map has other sizes than any release of the agent gave it. */
export function requireLayout(map: BpfMap, key: Layout<unknown>, value: Layout<unknown>): void {
  if (fits(map, key, value)) return;
  const { keySize, valueSize } = map.info;
  throw new UserError(
    `${map.label} has keys of ${keySize} and values of ${valueSize} bytes; ${key.size} and ${value.size} are expected`,
    { hint: `Another release of the agent made it: see its bytes with "cilium bpf maps dump ${map.label}".` },
  );
}

/** Decodes all entries of a map, in the map's order. Not for per-CPU maps, whose values are slots. */
export async function readRecords<K, V>(
  map: BpfMap,
  key: Layout<K>,
  value: Layout<V>,
): Promise<MapRecord<K, V>[]> {
  requireLayout(map, key, value);
  const records: MapRecord<K, V>[] = [];
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch))
      records.push({ key: key.decode(entry.key), value: value.decode(entry.value) });
  return records;
}

/** Decodes all entries of a per-CPU map: one value per possible CPU. */
export async function readSlots<K, V>(
  map: BpfMap,
  key: Layout<K>,
  value: Layout<V>,
): Promise<MapRecord<K, V[]>[]> {
  requireLayout(map, key, value);
  const records: MapRecord<K, V[]>[] = [];
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch))
      records.push({
        key: key.decode(entry.key),
        value: Array.from(slotsOf(entry.value, value.size), (slot) => value.decode(slot)),
      });
  return records;
}
