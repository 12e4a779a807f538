import { describe, expect, test } from '@jest/globals';
import { CONNTRACK4, CONNTRACK6, ctEntry, tuple4, tuple6 } from '../../../src/bpf/layouts/conntrack.ts';
import { variantOf } from '../../../src/bpf/layouts/map-layout.ts';
import { encode } from '../../../src/bpf/maps/codec.ts';
import type { Release } from '../../../src/model/release.ts';
import { type ConntrackLines, conntrackLineWriter } from '../../../src/render/bpf/conntrack.ts';
import { AsciiWriter } from '../../../src/render/text/ascii-writer.ts';
import fc from '../../helpers/properties.ts';

const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));

function line(keys: Buffer, values: Buffer, release: Release = '1.20', how: ConntrackLines = {}): string {
  const valueSize = ctEntry.size;
  const keySize = keys.length % tuple4.size === 0 ? tuple4.size : tuple6.size;
  const variant =
    keySize === tuple4.size
      ? variantOf(CONNTRACK4, { keySize, valueSize }, release)
      : variantOf(CONNTRACK6, { keySize, valueSize }, release);
  if (!variant) throw new Error('no layout');
  const out = new AsciiWriter(16);
  const count = keys.length / keySize;
  conntrackLineWriter(variant, how)(out, { count, keys, values, keySize, valueStride: valueSize });
  return out.take().toString('latin1');
}

describe('a line of bpf ct list', () => {
  const key = encode(tuple4, {
    destination: '10.0.0.1',
    source: '10.0.0.2',
    destinationPort: 80,
    sourcePort: 40_000,
    protocol: 6,
  });
  const value = encode(ctEntry, {
    backendId: 0x1_0000_0007n,
    packets: 3n,
    bytes: 0xffff_ffff_ffff_ffffn,
    lifetime: 4_294_967_295,
    flags: 0x13,
    revNatId: 0x0102,
    txFlagsSeen: 0x1e,
    rxFlagsSeen: 0x0a,
    sourceIdentity: 70_000,
    lastTxReport: 11,
    lastRxReport: 12,
    natPort: 0x8001,
  });

  test('shows every field of its release', () => {
    const head = 'TCP OUT 10.0.0.1:40000 -> 10.0.0.2:80 expires=4294967295';
    const middle =
      'Packets=3 Bytes=18446744073709551615 RxFlagsSeen=0x0a LastRxReport=12 TxFlagsSeen=0x1e LastTxReport=11 ' +
      'Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ] RevNAT=258 SourceSecurityID=70000';
    expect(line(key, value)).toBe(`${head} ${middle} BackendID=4294967303 NatPort=32769 \n`);
    expect(line(key, value, '1.17')).toBe(`${head} ${middle} IfIndex=384 BackendID=4294967303 \n`);
    const remaining = (lifetime: number) => lifetime - 4_294_967_300;
    expect(line(key, value, '1.20', { remaining })).toContain(`${head} (remaining: -5 sec(s)) Packets=3 `);
  });

  test('has the same parts whatever the bytes', () => {
    const shape =
      /^(\d+|[A-Za-z0-9]+) (IN|OUT|SVC) \S+:\d+ -> \S+:\d+( related)? expires=\d+ Packets=\d+ Bytes=\d+ RxFlagsSeen=0x[0-9a-f]{2} LastRxReport=\d+ TxFlagsSeen=0x[0-9a-f]{2} LastTxReport=\d+ Flags=0x[0-9a-f]{4} \[ .*\] RevNAT=\d+ SourceSecurityID=\d+ (IfIndex=\d+ )?BackendID=\d+( NatPort=\d+)? \n$/;
    for (const { size, fields } of [tuple4, tuple6])
      fc.assert(
        fc.property(
          bytes(size),
          bytes(ctEntry.size),
          fc.constantFrom<Release>('1.17', '1.20'),
          (raw, values, release) => {
            const text = line(raw, values, release);
            if (raw[fields.protocol.at] === 0) expect(text).toBe('');
            else expect(text).toMatch(shape);
          },
        ),
      );
  });

  test('shows every number exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), fc.nat(0xffffffff), (packets, lifetime) => {
        const text = line(key, encode(ctEntry, { packets, lifetime }));
        expect(text).toContain(` Packets=${packets} `);
        expect(text).toContain(` expires=${lifetime} `);
      }),
    );
  });

  test('names the flags of an entry', () => {
    expect(line(key, encode(ctEntry, { flags: 0xfdff }))).toContain(
      'Flags=0xfdff [ RxClosing TxClosing Nat64 LBLoopback SeenNonSyn NodePort ProxyRedirect DSRInternal FromL7LB FromTunnel Unknown=0xf800 ]',
    );
    expect(line(key, encode(ctEntry, { flags: 0x0a00 }))).toContain('Flags=0x0a00 [ Unknown=0x0800 ]');
  });

  test('tells a service from the side of the client, and what is related', () => {
    const service = Buffer.from('0a0000020a60000a1f9000500604', 'hex');
    expect(line(service, value)).toMatch(/^TCP SVC 10.96.0.10:8080 -> 10.0.0.2:80 expires/);
    const related = Buffer.from('0a0000020a60000a1f9000501103', 'hex');
    expect(line(related, value)).toMatch(/^UDP IN 10.0.0.2:80 -> 10.96.0.10:8080 related expires/);
  });

  test('has no brackets around IPv6 addresses', () => {
    const v6 = encode(tuple6, { destination: 'fd00::1', source: 'fd00::2', sourcePort: 5, protocol: 58 });
    expect(line(v6, value)).toMatch(/^ICMPv6 OUT fd00::1:5 -> fd00::2:0 expires/);
  });

  test('is left out when it is not wanted, or has no protocol', () => {
    const none = encode(tuple4, { source: '10.0.0.9' });
    const other = encode(tuple4, { source: '10.0.0.8', destination: '10.0.0.7', protocol: 17 });
    const keys = Buffer.concat([key, none, other]);
    const values = Buffer.concat([value, value, value]);
    expect(
      line(keys, values)
        .split('\n')
        .map((text) => text.slice(0, 7)),
    ).toEqual(['TCP OUT', 'UDP OUT', '']);
    const wanted = (raw: Buffer, base: number) => raw[base + tuple4.fields.protocol.at] === 17;
    expect(line(keys, values, '1.20', { wanted })).toMatch(/^UDP OUT 10.0.0.7:0 -> 10.0.0.8:0 .*\n$/);
  });
});
