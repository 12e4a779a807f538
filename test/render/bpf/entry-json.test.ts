import { describe, expect, test } from '@jest/globals';
import { ctEntry, ctEntry117, tuple4, tuple6 } from '../../../src/bpf/layouts/conntrack.ts';
import { natEntry4, natEntry6 } from '../../../src/bpf/layouts/nat.ts';
import { entryJson } from '../../../src/render/bpf/entry-json.ts';
import { AsciiWriter } from '../../../src/render/text/ascii-writer.ts';
import { goJson } from '../../../src/render/text/json.ts';
import fc from '../../helpers/properties.ts';

/** Bytes that count up from a number, so that each field has a value of its own. */
const counting = (size: number, from: number) =>
  Buffer.from(Array.from({ length: size }, (_, i) => from + i));
const u64 = (from: number) => counting(8, from).readBigUInt64LE();
const u32 = (from: number) => counting(4, from).readUInt32LE();
const u16 = (from: number) => counting(2, from).readUInt16LE();

function batchOf(keys: Buffer, values: Buffer) {
  return { count: 1, keys, values, keySize: keys.length, valueStride: values.length };
}

const KEY4 = {
  DestAddr: [1, 2, 3, 4],
  SourceAddr: [5, 6, 7, 8],
  DestPort: u16(9),
  SourcePort: u16(11),
  NextHeader: 13,
  Flags: 14,
};
const TAIL = {
  TxFlagsSeen: 42,
  RxFlagsSeen: 43,
  SourceSecurityID: u32(44),
  LastTxReport: u32(48),
  LastRxReport: u32(52),
};
const COUNTERS = {
  Packets: u64(16),
  Bytes: u64(24),
  Lifetime: u32(32),
  Flags: u16(36),
  RevNAT: u16(38),
};

describe('an entry in JSON', () => {
  test('of conntrack holds the stored bytes, in the order of its release', () => {
    const batch = batchOf(counting(14, 1), counting(56, 0));
    const value = { Union0: [u64(0), u64(8)], ...COUNTERS, NatPort: u16(40), ...TAIL };
    expect(goJson(entryJson({ key: tuple4, value: ctEntry }).toObject(batch, 0))).toBe(
      goJson({ Key: KEY4, Value: value }),
    );
    const old = { Reserved0: u64(0), BackendID: u64(8), ...COUNTERS, IfIndex: u16(40), ...TAIL };
    expect(goJson(entryJson({ key: tuple4, value: ctEntry117 }).toObject(batch, 0))).toBe(
      goJson({ Key: KEY4, Value: old }),
    );
  });

  test('of NAT holds its padding too', () => {
    const head = { Created: u64(0), NeedsCT: u64(8), Pad1: u64(16), Pad2: u64(24) };
    const json4 = entryJson({ key: tuple4, value: natEntry4 });
    expect(goJson(json4.toObject(batchOf(counting(14, 1), counting(40, 0)), 0))).toBe(
      goJson({ Key: KEY4, Value: { ...head, Addr: [32, 33, 34, 35], Port: u16(36) } }),
    );
    const json6 = entryJson({ key: tuple6, value: natEntry6 });
    expect(goJson(json6.toObject(batchOf(counting(38, 0), counting(56, 0)), 0))).toBe(
      goJson({
        Key: {
          DestAddr: [...counting(16, 0)],
          SourceAddr: [...counting(16, 16)],
          DestPort: u16(32),
          SourcePort: u16(34),
          NextHeader: 36,
          Flags: 37,
        },
        Value: { ...head, Addr: [...counting(16, 32)], Port: u16(48) },
      }),
    );
  });

  test.each([
    ['conntrack', tuple4, ctEntry],
    ['conntrack of IPv6', tuple6, ctEntry],
    ['conntrack of 1.17', tuple6, ctEntry117],
    ['NAT', tuple4, natEntry4],
    ['NAT of IPv6', tuple6, natEntry6],
  ] as const)('of %s is written as its object, whatever the bytes', (_, key, value) => {
    const { toObject, write } = entryJson({ key, value });
    const bytes = (size: number) =>
      fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));
    fc.assert(
      fc.property(bytes(2 * key.size), bytes(2 * value.size), (keys, values) => {
        const batch = { count: 2, keys, values, keySize: key.size, valueStride: value.size };
        for (const i of [0, 1]) {
          const out = new AsciiWriter(16);
          write(out, batch, i);
          expect(`[\n${out.take().toString('latin1')}\n]`).toBe(goJson([toObject(batch, i)], 2));
        }
      }),
      { numRuns: 40 },
    );
  });
});
