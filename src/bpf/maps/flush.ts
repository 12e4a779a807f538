import { basename } from 'node:path';
import type { BpfMap } from '../kernel/objects.ts';
import { walk } from '../kernel/reader.ts';
import { knownMap } from '../layouts/catalogue.ts';
import { requireVariant } from './records.ts';

/** Fails when a map has the name of one of Cilium's and other sizes: a link, or somebody else, may have given it. */
export function requireOwnSizes(map: BpfMap): void {
  const layout = knownMap(basename(map.label));
  if (layout) requireVariant(map, layout);
}

/**
 * Deletes all entries of a map whose sizes were checked, batch by batch while it is walked; returns how many were deleted.
 */
export async function flushMap(map: BpfMap): Promise<number> {
  let deleted = 0;
  for await (const { keys, count, keySize } of walk(map))
    deleted += map.deleteMany(keys.subarray(0, count * keySize));
  return deleted;
}
