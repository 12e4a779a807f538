import { describe, expect } from '@jest/globals';
import { type BpfMap, createMap, type MapSpec, possibleCpus } from '../../../src/bpf/kernel/objects.ts';
import { countEntries, entriesOf, readAll, slotsOf, walk } from '../../../src/bpf/kernel/reader.ts';
import { buildHelper } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';

const key32 = (n: number) => {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(n);
  return key;
};

/** A map of 4-byte keys and 8-byte values that holds the numbers of a range. */
function numbers(spec: Partial<MapSpec>, from: number, to: number): BpfMap {
  buildHelper();
  const map = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4096, ...spec });
  for (let n = from; n < to; n++) map.update(key32(n), valueFor(map, n));
  return map;
}

function valueFor(map: BpfMap, n: number): Buffer {
  const value = Buffer.alloc(map.valueStride);
  value.writeUInt32LE(n);
  return value;
}

/** Keys as numbers; `during` runs between two batches. */
async function walked(
  map: BpfMap,
  options: { size: number; single: boolean },
  during: (seen: number[], batch: number) => void = () => {},
): Promise<number[]> {
  const seen: number[] = [];
  let batches = 0;
  for await (const batch of walk(map, options)) {
    for (const { key, value } of entriesOf(batch)) {
      expect(value.readUInt32LE()).toBe(key.readUInt32LE());
      seen.push(key.readUInt32LE());
    }
    during(seen, batches++);
  }
  return seen;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);

describe.each([
  ['in batches', false],
  ['key by key', true],
] as const)('a walk %s', (_, single) => {
  for (const type of ['hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash'] as const)
    kernelTest(`sees every entry of a ${type} once`, async () => {
      // An LRU evicts before it is full.
      using map = numbers({ type, maxEntries: 8192 }, 0, 3000);
      expect(sorted(await walked(map, { size: 100, single }))).toEqual(range(0, 3000));
    });

  kernelTest('sees every element of an array', async () => {
    using map = numbers({ type: 'array', maxEntries: 1000 }, 0, 1000);
    expect(await walked(map, { size: 64, single })).toEqual(range(0, 1000));
  });

  kernelTest('of an empty map gives nothing', async () => {
    using map = numbers({}, 0, 0);
    expect(await walked(map, { size: 16, single })).toEqual([]);
  });

  kernelTest('goes on when all that it has given is deleted', async () => {
    using map = numbers({}, 0, 4000);
    const seen = await walked(map, { size: 50, single }, (all) => {
      for (const n of all.slice(-50)) map.delete(key32(n));
    });
    expect(sorted(seen)).toEqual(range(0, 4000));
    expect(await countEntries(map)).toBe(0);
  });

  kernelTest('sees all that stays while others come and go', async () => {
    using map = numbers({ maxEntries: 20_000 }, 0, 2000);
    let next = 10_000;
    const seen = await walked(map, { size: 37, single }, () => {
      for (let i = 0; i < 40; i++) {
        map.update(key32(next), valueFor(map, next));
        if (next - 20 >= 10_000) map.delete(key32(next - 20));
        next++;
      }
    });
    const stable = seen.filter((n) => n < 2000);
    expect(sorted(stable)).toEqual(range(0, 2000));
    expect(seen.length).toBeLessThan(2 * 20_000);
  });

  kernelTest('ends although entries keep coming', async () => {
    using map = numbers({ type: 'lru_hash', maxEntries: 2048 }, 0, 1000);
    let next = 1000;
    const seen = await walked(map, { size: 8, single }, () => {
      for (let i = 0; i < 64; i++, next++) map.update(key32(next), valueFor(map, next));
    });
    expect(seen.length).toBeLessThanOrEqual(2 * 2048 + 1 + 8);
  });

  kernelTest('may be left early', async () => {
    using map = numbers({}, 0, 4000);
    for await (const batch of walk(map, { size: 10, single })) {
      expect(batch.count).toBeGreaterThan(0);
      break;
    }
  });
});

describe('a walk', () => {
  kernelTest('gets more room when one bucket holds more than a batch', async () => {
    // A hash for 64 entries has few buckets: some hold several of them.
    using map = numbers({ maxEntries: 64 }, 0, 64);
    expect(sorted(await walked(map, { size: 1, single: false }))).toEqual(range(0, 64));
  });

  kernelTest('sees every prefix of a trie while others are deleted', async () => {
    buildHelper();
    using map = createMap({ type: 'lpm_trie', keySize: 8, valueSize: 4, maxEntries: 4096, flags: 1 });
    const prefix = (n: number) => {
      const key = Buffer.alloc(8);
      key.writeUInt32LE(32, 0);
      key.writeUInt32BE(0x0a000000 + n, 4);
      return key;
    };
    for (let n = 0; n < 2000; n++) map.update(prefix(n), key32(n));
    const wide = Buffer.alloc(8);
    wide.writeUInt32LE(8, 0);
    wide[4] = 10;
    map.update(wide, key32(4_000_000));
    const seen = new Set<number>();
    for await (const batch of walk(map, { size: 32 }))
      for (const { key, value } of entriesOf(batch)) {
        const n = key.readUInt32LE(0) === 8 ? 4_000_000 : key.readUInt32BE(4) - 0x0a000000;
        expect(value.readUInt32LE()).toBe(n);
        seen.add(n);
        // The entry just given is gone when the walk asks for the next one.
        if (n % 3 === 0) map.delete(key);
      }
    expect(sorted([...seen])).toEqual([...range(0, 2000), 4_000_000]);
  });

  kernelTest('gives the slots of per-CPU values', async () => {
    buildHelper();
    using map = createMap({ type: 'percpu_array', keySize: 4, valueSize: 4, maxEntries: 3 });
    expect(map.valueStride).toBe(8 * possibleCpus());
    const value = Buffer.alloc(map.valueStride);
    for (let cpu = 0; cpu < possibleCpus(); cpu++) value.writeUInt32LE(cpu + 7, 8 * cpu);
    map.update(key32(1), value);
    const [, entry] = await readAll(map);
    expect(Array.from(slotsOf(entry?.value ?? Buffer.alloc(0), 4), (slot) => slot.readUInt32LE())).toEqual(
      Array.from({ length: possibleCpus() }, (_, cpu) => cpu + 7),
    );
  });

  kernelTest('steps over the empty slots of a map of maps', async () => {
    using inner = numbers({ maxEntries: 4 }, 0, 2);
    using outer = createMap({ type: 'array_of_maps', keySize: 4, valueSize: 4, maxEntries: 50, inner });
    outer.updateObject(key32(40), inner);
    const entries = await readAll(outer);
    expect(entries.map(({ key, value }) => [key.readUInt32LE(), value.readUInt32LE()])).toEqual([
      [40, inner.info.id],
    ]);
  });

  kernelTest('fails for a kind of map that has no entries', async () => {
    buildHelper();
    using map = createMap({ type: 'queue', keySize: 0, valueSize: 4, maxEntries: 4 });
    await expect(countEntries(map)).rejects.toThrow(/^walk map : .*not supported/i);
  });

  kernelTest('does not hold up other work', async () => {
    using map = numbers({ maxEntries: 200_000, flags: 1 }, 0, 100_000);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for await (const batch of walk(map, { size: 20_000, single: true }))
      expect(batch.count).toBeGreaterThan(0);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });
});
