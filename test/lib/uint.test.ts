import { expect, test } from '@jest/globals';
import { exactNumber, readUint, swap16, writeUint } from '../../src/lib/uint.ts';
import fc from '../helpers/properties.ts';

test.each([1, 2, 4, 8])('numbers of %i bytes are read exactly, in either order', (size) => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << BigInt(8 * size)) - 1n), (value) => {
      const hex = value.toString(16).padStart(2 * size, '0');
      const network = Buffer.from(`ee${hex}ee`, 'hex');
      const host = Buffer.concat([
        network.subarray(0, 1),
        Buffer.from(hex, 'hex').reverse(),
        Buffer.of(0xee),
      ]);
      expect(readUint(network, 1, size, 'network')).toBe(exactNumber(value));
      expect(readUint(host, 1, size)).toBe(exactNumber(value));
    }),
  );
});

test('a number is exact up to 53 bits, a bigint beyond', () => {
  expect(exactNumber(2n ** 53n - 1n)).toBe(2 ** 53 - 1);
  expect(exactNumber(2n ** 53n)).toBe(2n ** 53n);
  expect(readUint(Buffer.from('ffffffffffff1f00', 'hex'), 0, 8)).toBe(2 ** 53 - 1);
  expect(readUint(Buffer.from('0000000000002000', 'hex'), 0, 8)).toBe(2n ** 53n);
});

test('numbers are written in either order, and not when they do not fit', () => {
  const raw = Buffer.alloc(8);
  writeUint(raw, 1, 2, 'host', 0x0102);
  writeUint(raw, 4, 4, 'network', 0x0a0b0c0d);
  expect(raw.toString('hex')).toBe('000201000a0b0c0d');
  expect(() => writeUint(raw, 0, 1, 'host', 256)).toThrow('out of range');
});

test('the bytes of a port are swapped', () => {
  expect([0x0102, 80, 0xff00].map(swap16)).toEqual([0x0201, 0x5000, 0x00ff]);
});
