import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { decodeGob, GobDecoder, GobError, GobMap, type GobValue } from '../../../src/agent/monitor/gob.ts';
import { decodeRecord } from '../../../src/agent/monitor/records.ts';
import { GobEncoder, type GoType } from '../../helpers/gob.ts';
import fc from '../../helpers/properties.ts';
import { fixturePath } from '../../helpers/recordings.ts';

const STREAM = readFileSync(fixturePath('recordings/monitor-1.20.gob'));

function decode(...chunks: Uint8Array[]): { values: GobValue[]; pending: number } {
  const decoder = new GobDecoder();
  const values = chunks.flatMap((chunk) => decoder.push(chunk));
  return { values, pending: decoder.pendingBytes };
}

describe('a recorded stream', () => {
  const whole = decode(STREAM);

  test('is decoded to its last byte', () => {
    expect(whole).toMatchObject({ pending: 0 });
    expect(whole.values).toHaveLength(361);
    expect(decodeRecord(whole.values[0])).toMatchObject({ type: 9, cpu: 1, lost: 0 });
  });

  test('gives the same values one byte at a time', () => {
    const bytes = [...STREAM].map((byte) => Uint8Array.of(byte));
    expect(decode(...bytes)).toEqual(whole);
  });

  test('gives the same values cut in two at every place of its beginning', () => {
    const head = STREAM.subarray(0, 800);
    const expected = decode(head);
    for (let at = 0; at <= head.length; at++)
      expect(decode(head.subarray(0, at), head.subarray(at))).toEqual(expected);
  });

  test('gives the same values cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
        const chunks = places.slice(1).map((to, i) => STREAM.subarray(places[i], to));
        expect(decode(...chunks).values).toHaveLength(361);
      }),
      { numRuns: 30 },
    );
  });

  test('leaves bytes over when it breaks off within a message', () => {
    const cut = decode(STREAM.subarray(0, STREAM.length - 3));
    expect(cut.values).toHaveLength(360);
    expect(cut.pending).toBeGreaterThan(0);
  });
});

describe('hostile bytes', () => {
  const survives = (bytes: Uint8Array) => {
    try {
      decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(GobError);
    }
  };

  test('are refused, never crashed upon', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), survives), { numRuns: 2000 });
  });

  test('in the middle of a real stream are refused, never crashed upon', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, noise) => {
        const broken = Buffer.from(STREAM.subarray(0, 4000));
        broken.set(noise, at);
        survives(broken);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['a message of 8 GB', 'fb0200000000', /the limit is/],
    ['a length of nine bytes', '80', undefined],
    ['a message of no bytes', '00', /no bytes/],
    ['a number of sixteen bytes as length', `f0${'01'.repeat(16)}`, /a number of 16 bytes/],
    ['a value of a type never described', '03ff8200', /never described/],
    ['a list longer than its message', '0a0a00fd7fffff0000000000', /past the end|elements announced/],
  ])('%s are refused', (_, hex, message) => {
    const push = () => decode(Buffer.from(hex, 'hex'));
    if (message) expect(push).toThrow(message);
    else expect(push).not.toThrow();
  });

  test('do not make the decoder hold more than one message', () => {
    const decoder = new GobDecoder();
    decoder.push(Buffer.from('fd100000', 'hex'));
    for (let i = 0; i < 1000; i++) decoder.push(Buffer.alloc(1000));
    expect(decoder.pendingBytes).toBeLessThan(0x100000 + 4);
  });

  test('that describe a type within itself end at a depth', () => {
    const encoder = new GobEncoder();
    const nested: { slice: GoType } = { slice: 'int' };
    nested.slice = nested;
    const deep = Array.from({ length: 80 }).reduce<unknown[]>((inner) => [inner], []);
    expect(() => decodeGob(encoder.encode(nested, deep))).toThrow(/deeper/);
  });
});

describe('values of every kind', () => {
  const roundTrip = (type: GoType, value: unknown) => decodeGob(new GobEncoder().encode(type, value));

  test.each<[GoType, unknown]>([
    ['bool', true],
    ['int', -129],
    ['int', 2 ** 45],
    ['uint', 255],
    ['uint', 2n ** 63n],
    ['float', 0.1],
    ['string', 'grüß'],
    ['bytes', Buffer.from([0, 255])],
    [{ slice: 'string' }, ['a', 'b']],
    [{ marshaler: 7 }, '10.0.0.1'],
    [{ marshaler: 6 }, Buffer.from([10, 0, 0, 1])],
  ])('%j %p', (type, value) => {
    expect(roundTrip(type, value)).toEqual(value);
  });

  test('a struct keeps its fields by name and leaves out zeros', () => {
    const type: GoType = { struct: 'T', fields: { A: 'int', B: 'string', C: { slice: 'uint' } } };
    expect(roundTrip(type, { A: 0, B: 'x', C: [1, 2] })).toEqual(
      new Map<string, unknown>([
        ['B', 'x'],
        ['C', [1, 2]],
      ]),
    );
  });

  test('a map keeps the order of the stream', () => {
    expect(roundTrip({ map: ['string', 'int'] }, { b: 1, a: 2 })).toEqual(
      new GobMap([
        ['b', 1],
        ['a', 2],
      ]),
    );
  });
});
