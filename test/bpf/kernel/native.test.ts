import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { KernelError } from '../../../src/bpf/kernel/errors.ts';
import { native } from '../../../src/bpf/kernel/native.ts';
import {
  type BpfMap,
  createMap,
  objectIds,
  openMap,
  openMapById,
  openPin,
  UPDATE,
} from '../../../src/bpf/kernel/objects.ts';
import { buildHelper, missingKernel, mountBpffs, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';

let bpffs: TestBpffs | undefined;
beforeAll(() => {
  if (missingKernel() === undefined) bpffs = mountBpffs();
});
afterAll(() => bpffs?.[Symbol.dispose]());
const pin = (name: string) => join(bpffs?.root ?? '', name);

function small(): BpfMap {
  buildHelper();
  return createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, name: 'small' });
}

const KEY = Buffer.from([1, 2, 3, 4]);
const VALUE = Buffer.alloc(8, 7);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof KernelError ? error.code : String(error);
  }
  return 'no error';
}

describe('a map', () => {
  kernelTest('keeps, replaces and deletes entries', () => {
    using map = small();
    expect(map.lookup(KEY)).toBeUndefined();
    expect(map.delete(KEY)).toBe(false);
    map.update(KEY, VALUE);
    expect(map.lookup(KEY)).toEqual(VALUE);
    expect(codeOf(() => map.update(KEY, VALUE, UPDATE.create))).toBe('EEXIST');
    map.update(KEY, Buffer.alloc(8), UPDATE.replace);
    expect(map.lookup(KEY)).toEqual(Buffer.alloc(8));
    expect(map.delete(KEY)).toBe(true);
    expect(codeOf(() => map.update(KEY, VALUE, UPDATE.replace))).toBe('ENOENT');
  });

  kernelTest('tells when it is full', () => {
    using map = small();
    for (let n = 0; n < 4; n++) map.update(Buffer.from([n, 0, 0, 0]), VALUE);
    expect(codeOf(() => map.update(Buffer.from([9, 0, 0, 0]), VALUE))).toBe('E2BIG');
  });

  for (const single of [false, true])
    kernelTest(
      `deletes many keys ${single ? 'one by one' : 'in a batch'}, stepping over those that are gone`,
      () => {
        using map = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 100 });
        const key = (n: number) => Buffer.from([n, 0, 0, 0]);
        for (let n = 0; n < 50; n += 2) map.update(key(n), VALUE);
        const all = Buffer.concat(Array.from({ length: 50 }, (_, n) => key(n)));
        expect(map.deleteMany(all, { single })).toBe(25);
        expect(map.deleteMany(all, { single })).toBe(0);
      },
    );

  kernelTest('that is pinned is read-only unless it is opened for writing', () => {
    using map = small();
    map.pin(pin('guarded'));
    using reader = openMap(pin('guarded'));
    expect(codeOf(() => reader.update(KEY, VALUE))).toBe('EPERM');
    expect(codeOf(() => reader.delete(KEY))).toBe('EPERM');
    using writer = openMap(pin('guarded'), { write: true });
    writer.update(KEY, VALUE);
    expect(reader.lookup(KEY)).toEqual(VALUE);
  });

  kernelTest('that is frozen takes no more writes', () => {
    using map = small();
    map.freeze();
    expect(codeOf(() => map.update(KEY, VALUE))).toBe('EPERM');
  });

  kernelTest('is found by its id, and not when it is gone', () => {
    const map = small();
    const { id } = map.info;
    expect([...objectIds('map')]).toContain(id);
    using again = openMapById(id);
    expect(again.info).toEqual(map.info);
    expect(again.info).toMatchObject({
      type: 'hash',
      keySize: 4,
      valueSize: 8,
      maxEntries: 4,
      name: 'small',
    });
    map[Symbol.dispose]();
    again[Symbol.dispose]();
    expect(codeOf(() => openMapById(4_000_000_000))).toBe('ENOENT');
  });

  kernelTest('says what cannot be made', () => {
    buildHelper();
    expect(codeOf(() => createMap({ type: 'hash', keySize: 0, valueSize: 8, maxEntries: 4 }))).toBe('EINVAL');
    expect(codeOf(() => createMap({ type: 'lpm_trie', keySize: 8, valueSize: 8, maxEntries: 4 }))).toBe(
      'EINVAL',
    );
  });
});

describe('a pin', () => {
  kernelTest('that is not there is named in the error', () => {
    expect(() => openPin(pin('nothing'))).toThrow(`open pin ${pin('nothing')}: no such file or directory`);
    expect(codeOf(() => openMap(join(pin('nothing'), 'below')))).toBe('ENOENT');
  });

  kernelTest('that is an ordinary file is refused', () => {
    expect(codeOf(() => openPin('/etc/hostname'))).not.toBe('no error');
    expect(() => openPin(`/tmp/${'x'.repeat(5000)}`)).toThrow(/file name too long/);
    expect(() => openPin('/tmp/a\0b')).toThrow('a path holds no NUL byte');
  });
});

describe('the helper', () => {
  kernelTest('refuses arguments of the wrong kind or size', () => {
    using map = small();
    const helper = native();
    const wrong = helper as unknown as Record<string, (...args: unknown[]) => unknown>;
    const call = (name: string, ...args: unknown[]) => wrong[name]?.(...args);
    expect(() => call('lookup', map.handle, Buffer.alloc(3))).toThrow('the key has another size');
    expect(() => call('lookup', map.handle, [1, 2, 3, 4])).toThrow('expected a Uint8Array');
    expect(() => call('lookup', map.handle, new Uint16Array(2))).toThrow('expected a Uint8Array');
    expect(() => call('lookup', {}, KEY)).toThrow('expected a handle');
    expect(() => call('lookup', 7, KEY)).toThrow('expected a handle');
    expect(() => call('lookup')).toThrow('an argument is missing');
    expect(() => call('update', map.handle, KEY, Buffer.alloc(7), 0)).toThrow('the value has another size');
    expect(() => call('update', map.handle, KEY, VALUE, -1)).toThrow('flags: expected a u32');
    expect(() => call('removeBatch', map.handle, Buffer.alloc(5), false)).toThrow('expected whole keys');
    expect(() => call('openPin', 7, 0)).toThrow('expected a path');
    expect(() => call('openPin', '', 0)).toThrow('expected a path');
    expect(() => call('openId', 9, 1, 0)).toThrow(/Invalid argument/);
    expect(() => call('btf', map.handle)).toThrow('expected a handle of type information');
    expect(() => call('programMaps', map.handle)).toThrow('expected a handle of a program');
    expect(() => call('walkNext', {}, KEY, VALUE)).toThrow('expected a walk');
    const walk = helper.walk(map.handle, false);
    expect(() => call('walkNext', walk, Buffer.alloc(8), Buffer.alloc(8))).toThrow(
      'do not hold the same number',
    );
    expect(() => call('walkNext', walk, Buffer.alloc(3), Buffer.alloc(8))).toThrow(
      'do not hold the same number',
    );
  });

  kernelTest('lets one batch of a walk run at a time', async () => {
    using map = small();
    const helper = native();
    const walk = helper.walk(map.handle, false);
    const first = helper.walkNext(walk, Buffer.alloc(16), Buffer.alloc(32));
    expect(() => helper.walkNext(walk, Buffer.alloc(16), Buffer.alloc(32))).toThrow('a batch under way');
    expect(await first).toBe(0);
    expect(helper.walkDone(walk)).toBe(true);
  });

  kernelTest('closes a map only when the batch that reads it is done', async () => {
    const map = small();
    map.update(KEY, VALUE);
    const helper = native();
    const walk = helper.walk(map.handle, true);
    const keys = Buffer.alloc(16);
    const running = helper.walkNext(walk, keys, Buffer.alloc(32));
    map[Symbol.dispose]();
    map[Symbol.dispose]();
    expect(await running).toBe(1);
    expect(keys.subarray(0, 4)).toEqual(KEY);
    expect(() => helper.walkNext(walk, keys, Buffer.alloc(32))).toThrow('walk of a closed map');
    expect(() => map.lookup(KEY)).toThrow('use of a closed BPF object');
  });
});
