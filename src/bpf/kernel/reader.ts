import { errorCode } from '../../errors.ts';
import type { PackedEntries } from '../../model/bpf-map.ts';
import { KernelError } from './errors.ts';
import { native } from './native.ts';
import type { BpfMap } from './objects.ts';

export interface WalkOptions {
  /** Entries per batch. */
  size?: number;
  /** Key by key, as on kernels without batches (before 5.6). */
  single?: boolean;
}

const DEFAULT_SIZE = 4096;
const MAX_SIZE = 1 << 22;

/**
 * Walks all entries of a map. A batch is valid until the next one is asked for: its buffers are used again, which
 * keeps the memory of a walk the same whatever the size of the map. The next batch is read on another thread while
 * the caller works on this one. Entries that come or go meanwhile may be seen or not; those that stay are seen.
 */
export async function* walk(map: BpfMap, options: WalkOptions = {}): AsyncGenerator<PackedEntries> {
  const { keySize } = map.info;
  const stride = map.valueStride;
  let size = Math.max(1, Math.min(options.size ?? DEFAULT_SIZE, map.info.maxEntries || 1));
  const helper = native();
  const allocate = () => ({
    keys: Buffer.allocUnsafeSlow(size * keySize),
    values: Buffer.allocUnsafeSlow(Math.max(1, size * stride)),
    count: 0,
    keySize,
    valueStride: stride,
  });
  let [filling, spare] = [allocate(), allocate()];
  const state = failing(map, () => helper.walk(map.handle, options.single ?? false));
  const read = async (): Promise<number> => {
    for (;;) {
      try {
        return await helper.walkNext(state, filling.keys, filling.values);
      } catch (error) {
        // One bucket of the hash holds more than fits: the same step is repeated with more room.
        if (errorCode(error) !== 'ENOSPC' || size >= MAX_SIZE)
          throw new KernelError(`walk ${map.label}`, error);
        size *= 4;
        filling = allocate();
      }
    }
  };
  let pending = read();
  // A caller that stops early leaves a batch under way: its failure is nobody's business.
  pending.catch(() => {});
  for (;;) {
    const count = await pending;
    const full = filling;
    full.count = count;
    const done = helper.walkDone(state);
    if (!done) {
      filling = spare.keys.length === size * keySize ? spare : allocate();
      pending = read();
      pending.catch(() => {});
    }
    if (count > 0) yield full;
    if (done) return;
    spare = full;
  }
}

function failing<T>(map: BpfMap, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new KernelError(`walk ${map.label}`, error);
  }
}

/** One entry, as views into a batch. */
export interface Entry {
  key: Buffer;
  value: Buffer;
}

/** The entries of a batch, as views: copy what outlives the batch. */
export function* entriesOf({ count, keys, values, keySize, valueStride }: PackedEntries): Generator<Entry> {
  for (let i = 0; i < count; i++)
    yield {
      key: keys.subarray(i * keySize, (i + 1) * keySize),
      value: values.subarray(i * valueStride, (i + 1) * valueStride),
    };
}

/** All entries of a map that is known to be small, copied, in the map's order. */
export async function readAll(map: BpfMap): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const batch of walk(map))
    for (const { key, value } of entriesOf(batch))
      all.push({ key: Buffer.from(key), value: Buffer.from(value) });
  return all;
}

/** Whether a map holds exactly this key: a look-up in a trie would find shorter prefixes too. */
export async function hasKey(map: BpfMap, key: Buffer): Promise<boolean> {
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch)) if (entry.key.equals(key)) return true;
  return false;
}

/** Number of entries. */
export async function countEntries(map: BpfMap): Promise<number> {
  let count = 0;
  for await (const batch of walk(map)) count += batch.count;
  return count;
}

/** The slots of a per-CPU value. */
export function* slotsOf(value: Buffer, valueSize: number): Generator<Buffer> {
  const stride = (valueSize + 7) & ~7;
  for (let at = 0; at + valueSize <= value.length; at += stride) yield value.subarray(at, at + valueSize);
}
