import { describe, expect, test } from '@jest/globals';
import { tuple4, tuple6 } from '../../../src/bpf/layouts/conntrack.ts';
import { natEntry4, natEntry6 } from '../../../src/bpf/layouts/nat.ts';
import { encode } from '../../../src/bpf/maps/codec.ts';
import {
  decodeConnection,
  decodeTranslation,
  familyOf,
  matchesConnection,
} from '../../../src/bpf/maps/connections.ts';
import { connectionText, translationLine } from '../../../src/render/bpf/connection.ts';

describe('a connection', () => {
  const stored = { destination: '10.0.0.1', source: '10.0.0.2', destinationPort: 80, sourcePort: 40_000 };

  test('goes from the stored destination to the stored source; the ports are not exchanged', () => {
    const key = encode(tuple4, { ...stored, protocol: 6, flags: 0 });
    const connection = decodeConnection(tuple4, Buffer.concat([Buffer.alloc(14, 9), key]), 14);
    expect(connection).toEqual({
      protocol: 6,
      related: false,
      direction: 'OUT',
      source: '10.0.0.1',
      sourcePort: 40_000,
      destination: '10.0.0.2',
      destinationPort: 80,
    });
    expect(connectionText(connection, '1.20')).toBe('TCP OUT 10.0.0.1:40000 -> 10.0.0.2:80');
    expect(decodeConnection(tuple4, encode(tuple4, { ...stored, flags: 3 }))).toMatchObject({
      direction: 'IN',
      related: true,
    });
  });

  test('to a service is told from the side of the client', () => {
    expect(decodeConnection(tuple4, encode(tuple4, { ...stored, protocol: 6, flags: 4 }))).toEqual({
      protocol: 6,
      related: false,
      direction: 'SVC',
      source: '10.0.0.2',
      sourcePort: 80,
      destination: '10.0.0.1',
      destinationPort: 40_000,
    });
  });

  test('of IPv6 has longer addresses', () => {
    const key = encode(tuple6, { destination: 'fd00::1', source: 'fd00::2', sourcePort: 7, protocol: 17 });
    expect(connectionText(decodeConnection(tuple6, key), '1.20')).toBe('UDP OUT fd00::1:7 -> fd00::2:0');
    expect([familyOf(tuple4), familyOf(tuple6)]).toEqual([4, 6]);
  });

  test('is wanted when each set that is given holds one of its ends', () => {
    const connection = decodeConnection(tuple4, encode(tuple4, stored));
    const wanted = (filter: Parameters<typeof matchesConnection>[1]) => matchesConnection(connection, filter);
    expect(wanted({})).toBe(true);
    expect(wanted({ ips: new Set(['10.0.0.1']) })).toBe(true);
    expect(wanted({ ips: new Set(['10.0.0.2']) })).toBe(true);
    expect(wanted({ ips: new Set(['10.0.0.3']) })).toBe(false);
    expect(wanted({ ports: new Set([80]) })).toBe(true);
    expect(wanted({ ports: new Set([40_000]) })).toBe(true);
    expect(wanted({ ports: new Set([81]) })).toBe(false);
    expect(wanted({ ips: new Set(['10.0.0.1']), ports: new Set([81]) })).toBe(false);
    expect(wanted({ test: ({ destinationPort }) => destinationPort === 80 })).toBe(true);
    expect(wanted({ test: ({ destinationPort }) => destinationPort !== 80 })).toBe(false);
  });
});

describe('a translation', () => {
  test('keeps source and destination as they are stored', () => {
    const keys = encode(tuple4, {
      source: '10.0.0.1',
      sourcePort: 5,
      destination: '1.1.1.1',
      destinationPort: 53,
      protocol: 17,
      flags: 0,
    });
    const values = encode(natEntry4, { created: 100n, needsCt: 1n, address: '192.168.0.1', port: 61_000 });
    const batch = { count: 1, keys, values, keySize: 14, valueStride: 40 };
    const nat = decodeTranslation({ key: tuple4, value: natEntry4 }, batch, 0);
    expect(translationLine(nat, 4, undefined, '1.20')).toBe(
      'UDP OUT 10.0.0.1:5 -> 1.1.1.1:53 XLATE_SRC 192.168.0.1:61000 Created=? (raw 100) NeedsCT=1',
    );
    expect(translationLine(nat, 4, (created) => Number(created) + 1, '1.20')).toContain(
      ' Created=101sec ago ',
    );
  });

  test('of IPv6 has brackets, and words for what it belongs to', () => {
    const keys = encode(tuple6, { source: 'fd00::1', destination: 'fd00::2', protocol: 6, flags: 7 });
    const values = encode(natEntry6, { address: 'fd00::3', port: 9 });
    const batch = {
      count: 2,
      keys: Buffer.concat([Buffer.alloc(38), keys]),
      values: Buffer.concat([Buffer.alloc(56), values]),
      keySize: 38,
      valueStride: 56,
    };
    const nat = decodeTranslation({ key: tuple6, value: natEntry6 }, batch, 1);
    expect(translationLine(nat, 6, undefined, '1.20')).toBe(
      'TCP IN [fd00::1]:0 -> [fd00::2]:0 related service XLATE_DST [fd00::3]:9 Created=? (raw 0) NeedsCT=0',
    );
    expect(nat).toMatchObject({ related: true, service: true, direction: 'IN' });
  });
});
