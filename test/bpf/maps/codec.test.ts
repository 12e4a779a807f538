import { describe, expect, test } from '@jest/globals';
import { KNOWN_MAPS, knownMap } from '../../../src/bpf/layouts/catalogue.ts';
import { ctEntry } from '../../../src/bpf/layouts/conntrack.ts';
import { variantOf } from '../../../src/bpf/layouts/map-layout.ts';
import {
  be16,
  be32,
  bit,
  hex,
  ipByFlag,
  ipOfFamily,
  ipv4,
  ipv6,
  mac,
  pad,
  type Struct,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../../../src/bpf/layouts/struct.ts';
import { decode, encode } from '../../../src/bpf/maps/codec.ts';
import type { RecordedMap } from '../../helpers/bpf.ts';
import fc from '../../helpers/properties.ts';
import { fixture } from '../../helpers/recordings.ts';

const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.20.json');
const STRUCTS = KNOWN_MAPS.flatMap(({ variants }) => variants.flatMap(({ key, value }) => [key, value]));
const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));

describe('a field', () => {
  const raw = Buffer.from('000102030405060708090a0b0c0d0e0f1011', 'hex');

  test.each([
    ['u8', u8(1), 1],
    ['u16, little endian', u16(1), 0x0201],
    ['u32, little endian', u32(1), 0x04030201],
    ['u64, little endian', u64(1), 0x0807060504030201n],
    ['be16', be16(1), 0x0102],
    ['be32', be32(1), 0x01020304],
    ['ipv4', ipv4(1), '1.2.3.4'],
    ['ipv6', ipv6(1), '102:304:506:708:90a:b0c:d0e:f10'],
    ['mac', mac(1), '01:02:03:04:05:06'],
    ['hex', hex(1, 3), '010203'],
    ['a bit that is set', bit(3, 2), true],
    ['a bit that is not set', bit(4, 2), false],
    ['an address of the family 1', ipOfFamily(2, 1), '2.3.4.5'],
    ['an address of the family 2', ipOfFamily(1, 2), '102:304:506:708:90a:b0c:d0e:f10'],
    ['an address of no family', ipOfFamily(1, 3), ''],
    ['an address with the IPv6 flag', ipByFlag(1, 4, 4), '102:304:506:708:90a:b0c:d0e:f10'],
    ['an address without the IPv6 flag', ipByFlag(1, 3, 4), '1.2.3.4'],
  ])('%s is read at its place', (_, field, value) => {
    expect(decode(struct(18, { field }), raw)).toEqual({ field: value });
    const shifted = Buffer.concat([Buffer.alloc(7, 0xff), raw]);
    expect(decode(struct(18, { field }), shifted, 7)).toEqual({ field: value });
  });

  test('is written at its place, and the bytes around it are zero', () => {
    const layout = struct(20, {
      a: be16(1),
      b: u32(4),
      c: ipv4(9),
      d: bit(14, 8),
      e: mac(13),
      f: pad(19, 1),
    });
    expect(encode(layout, { a: 0x0102, b: 0x0a0b0c0d, c: '1.2.3.4' }).toString('hex')).toBe(
      '000102000d0c0b0a000102030400000000000000',
    );
    expect(encode(struct(2, { d: bit(1, 8) }), { d: true }).toString('hex')).toBe('0008');
    expect(encode(struct(2, { d: bit(1, 8) }), { d: false }).toString('hex')).toBe('0000');
  });

  test('of padding is neither read nor written', () => {
    const layout = struct(4, { pad: pad(0, 2), a: u8(3) });
    expect(decode(layout, Buffer.from('ffff0007', 'hex'))).toEqual({ a: 7 });
    expect(encode(layout, { a: 7 }).toString('hex')).toBe('00000007');
  });

  test('refuses an address of the wrong family', () => {
    expect(() => encode(struct(4, { a: ipv4(0) }), { a: 'fd00::1' })).toThrow('is not an address of 4 bytes');
    expect(() => encode(struct(16, { a: ipv6(0) }), { a: 'x' })).toThrow('is not an address of 16 bytes');
    expect(encode(struct(16, { a: ipv6(0) }), { a: '1.2.3.4' }).toString('hex')).toBe(
      '00000000000000000000ffff01020304',
    );
  });

  test('that is a family sets its byte', () => {
    const key = struct(18, { ip: ipOfFamily(2, 1) });
    expect(encode(key, { ip: '10.0.0.1' }).toString('hex', 0, 6)).toBe('00010a000001');
    expect(encode(key, { ip: 'fd00::1' }).toString('hex')).toBe('0002fd000000000000000000000000000001');
    expect(encode(key, { ip: '' })).toEqual(Buffer.alloc(18));
  });
});

describe('the structs of all maps', () => {
  test('take any bytes of the right size, and give them back', () => {
    for (const layout of STRUCTS)
      fc.assert(
        fc.property(bytes(layout.size), (raw) => {
          const record = decode(layout, raw);
          expect(Object.keys(record)).toEqual(Object.keys(decode(layout, Buffer.alloc(layout.size))));
          expect(decode(layout, encode(layout, record))).toEqual(record);
        }),
        { numRuns: 20 },
      );
  });

  test.each(
    maps
      .filter(({ entries, type }) => entries?.length && !/prog_array|of_maps/.test(type))
      .map((map) => [map.path.split('/').at(-1) ?? '', map] as const),
  )('give the bytes back that an agent wrote into %s', (pin, { keySize, valueSize, entries = [] }) => {
    const known = knownMap(pin);
    const variant = known && variantOf(known, { pin, keySize, valueSize }, '1.20');
    if (!variant) throw new Error(`no layout for ${pin}`);
    const again = (layout: Struct, text: string) =>
      encode(layout, decode(layout, Buffer.from(text, 'hex'))).toString('hex');
    for (const [key, value] of entries) {
      expect(again(variant.key, key)).toBe(key);
      for (const slot of [value].flat()) expect(again(variant.value, slot)).toBe(slot);
    }
  });

  test('refuse bytes that are too few', () => {
    for (const layout of STRUCTS)
      fc.assert(
        fc.property(fc.nat(layout.size - 1), (size) => {
          expect(() => decode(layout, Buffer.alloc(size))).toThrow(RangeError);
        }),
        { numRuns: 5 },
      );
    expect(() => decode(ctEntry, Buffer.alloc(56), 1)).toThrow(RangeError);
    expect(() => decode(ctEntry, Buffer.alloc(56), -1)).toThrow(RangeError);
  });
});
