import type { BpfMap } from '../kernel/objects.ts';
import { walk } from '../kernel/reader.ts';

/** Deletes all entries of a map, batch by batch while it is walked; returns how many were deleted. */
export async function flushMap(map: BpfMap): Promise<number> {
  let deleted = 0;
  for await (const { keys, count, keySize } of walk(map))
    deleted += map.deleteMany(keys.subarray(0, count * keySize));
  return deleted;
}
