import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Btf } from '../../../src/bpf/kernel/btf.ts';
import {
  decodeLinkInfo,
  decodeMapInfo,
  decodeProgramInfo,
  mapFlagWords,
} from '../../../src/bpf/kernel/info.ts';
import { AsciiWriter } from '../../../src/bpf/layouts/ascii.ts';
import { endpointOf, KNOWN_MAPS, knownMap, shapeOf } from '../../../src/bpf/layouts/catalogue.ts';
import {
  conntrackJson,
  decodeConnection,
  decodeTranslation,
  natJson,
  translationLine,
  writeConntrackLines,
} from '../../../src/bpf/layouts/conntrack.ts';
import { conntrackEntryWriter, natEntryWriter } from '../../../src/bpf/layouts/json-lines.ts';
import * as structs from '../../../src/bpf/layouts/structs.ts';
import * as texts from '../../../src/bpf/layouts/texts.ts';
import type { Release } from '../../../src/model/release.ts';
import { goJson } from '../../../src/render/text/json.ts';
import type { RecordedMap } from '../../helpers/bpf.ts';
import { fixture } from '../../helpers/recordings.ts';

const { maps } = fixture<{ maps: RecordedMap[] }>('recordings/bpf-1.20.json');
const bytes = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((b) => Buffer.from(b));

describe('the catalogue', () => {
  test.each(
    maps.map(
      ({ path, keySize, valueSize, type }) =>
        [path.split('/').at(-1) ?? '', { keySize, valueSize, type }] as const,
    ),
  )('knows %s and its layout', (name, { keySize, valueSize, type }) => {
    const known = knownMap(name);
    expect(known).toBeDefined();
    if (!known || type === 'perf_event_array') return;
    expect(shapeOf(known, { keySize, valueSize }, '1.20')).toBeDefined();
  });

  test('knows the endpoint of a map by its name', () => {
    expect(endpointOf('cilium_policy_v2_00356')).toBe(356);
    expect(endpointOf('cilium_policy_00356')).toBe(356);
    expect(endpointOf('cilium_calls_03800')).toBe(3800);
    expect(endpointOf('cilium_calls_hostns_03260')).toBe(3260);
    expect(endpointOf('cilium_calls_netdev_00002')).toBeUndefined();
    expect(endpointOf('cilium_policy_v2_reserved_1')).toBeUndefined();
    expect(endpointOf('cilium_lxc')).toBeUndefined();
  });

  test('picks the layout of the release where sizes are the same', () => {
    const ct = knownMap('cilium_ct4_global');
    if (!ct) throw new Error('no conntrack map');
    const sizes = { keySize: 14, valueSize: 56 };
    expect(shapeOf(ct, sizes, '1.17')?.value).toBe(structs.ctEntry117);
    expect(shapeOf(ct, sizes, '1.20')?.value).toBe(structs.ctEntry);
    expect(shapeOf(ct, { keySize: 14, valueSize: 55 }, '1.20')).toBeUndefined();
  });
});

describe('decoders', () => {
  test('take any bytes of the right size', () => {
    for (const { shapes } of KNOWN_MAPS)
      for (const { key, value } of shapes)
        for (const layout of [key, value])
          fc.assert(
            fc.property(bytes(layout.size), (raw) => {
              expect(Object.keys(layout.decode(raw))).toEqual(
                Object.keys(layout.decode(Buffer.alloc(layout.size))),
              );
            }),
            { numRuns: 20 },
          );
  });

  test('are undone by their encoders', () => {
    for (const { shapes } of KNOWN_MAPS)
      for (const { key, value } of shapes)
        for (const layout of [key, value])
          fc.assert(
            fc.property(bytes(layout.size), (raw) => {
              const record = layout.decode(raw);
              const again = layout.decode(layout.encode(record));
              expect(again).toEqual(record);
            }),
            { numRuns: 20 },
          );
  });

  test.each(
    maps
      .filter(({ entries, type }) => entries?.length && !/prog_array|of_maps/.test(type))
      .map((map) => [map.path.split('/').at(-1) ?? '', map] as const),
  )('give the bytes back that an agent wrote into %s', (name, { keySize, valueSize, entries = [] }) => {
    const known = knownMap(name);
    const shape = known && shapeOf(known, { keySize, valueSize }, '1.20');
    if (!shape) throw new Error(`no layout for ${name}`);
    const again = (layout: typeof shape.key, hex: string) =>
      layout.encode(layout.decode(Buffer.from(hex, 'hex'))).toString('hex');
    for (const [key, value] of entries) {
      expect(again(shape.key, key)).toBe(key);
      for (const slot of [value].flat()) expect(again(shape.value, slot)).toBe(slot);
    }
  });

  test('refuse bytes that are too few', () => {
    for (const layout of Object.values(structs))
      fc.assert(
        fc.property(fc.nat(layout.size - 1), (size) => {
          expect(() => layout.decode(Buffer.alloc(size))).toThrow(RangeError);
        }),
        { numRuns: 5 },
      );
  });

  test('decode at an offset as alone', () => {
    fc.assert(
      fc.property(bytes(56), fc.nat(40), (raw, offset) => {
        const shifted = Buffer.concat([Buffer.alloc(offset), raw]);
        expect(structs.ctEntry.decode(shifted, offset)).toEqual(structs.ctEntry.decode(raw));
      }),
    );
  });

  test('of kernel infos take any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
        const buffer = Buffer.from(raw);
        // The kernel gives at least the fields of the first release.
        if (raw.length < 20) return;
        decodeMapInfo(buffer);
        decodeProgramInfo(buffer);
        decodeLinkInfo(buffer);
      }),
    );
    expect(mapFlagWords(0x8000_0081)).toEqual(['no_prealloc', 'rdonly_prog', '0x80000000']);
  });

  test('of type information take any bytes', () => {
    const header = Buffer.alloc(24);
    header.writeUInt16LE(0xeb9f, 0);
    header.writeUInt32LE(24, 4);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (raw, split) => {
        const types = Math.min(split, raw.length);
        header.writeUInt32LE(types, 12);
        header.writeUInt32LE(types, 16);
        header.writeUInt32LE(raw.length - types, 20);
        const btf = Btf.parse(Buffer.concat([header, raw]));
        for (let id = 0; id < 10; id++) btf?.decode(id, Buffer.from(raw));
      }),
    );
  });
});

describe('connections', () => {
  const line = (key: Buffer, value: Buffer, release: Release) => {
    const out = new AsciiWriter(16);
    const family = key.length === 14 ? 4 : 6;
    const batch = { count: 1, keys: key, values: value, keySize: key.length, valueStride: value.length };
    writeConntrackLines(out, batch, { family, release });
    return out.take().toString('latin1');
  };

  test('are lines of the same parts whatever the bytes', () => {
    const shape =
      /^(\d+|[A-Za-z0-9]+) (IN|OUT|SVC) \S+:\d+ -> \S+:\d+( related)? expires=\d+ Packets=\d+ Bytes=\d+ RxFlagsSeen=0x[0-9a-f]{2} LastRxReport=\d+ TxFlagsSeen=0x[0-9a-f]{2} LastTxReport=\d+ Flags=0x[0-9a-f]{4} \[ .*\] RevNAT=\d+ SourceSecurityID=\d+ (IfIndex=\d+ )?BackendID=\d+( NatPort=\d+)? \n$/;
    for (const keySize of [14, 38])
      fc.assert(
        fc.property(
          bytes(keySize),
          bytes(56),
          fc.constantFrom('1.17' as const, '1.20' as const),
          (key, value, release) => {
            const text = line(key, value, release);
            if (key[keySize - 2] === 0) expect(text).toBe('');
            else expect(text).toMatch(shape);
          },
        ),
      );
  });

  test('show every number exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 0xffff_ffff_ffff_ffffn), fc.nat(0xffffffff), (packets, lifetime) => {
        const key = Buffer.alloc(14, 6);
        const value = Buffer.alloc(56);
        value.writeBigUInt64LE(packets, 16);
        value.writeUInt32LE(lifetime, 32);
        const text = line(key, value, '1.20');
        expect(text).toContain(` Packets=${packets} `);
        expect(text).toContain(` expires=${lifetime} `);
        const batch = { count: 1, keys: key, values: value, keySize: 14, valueStride: 56 };
        expect(conntrackJson(batch, 0, { family: 4, release: '1.20' })).toMatchObject({
          Value: { Packets: packets <= 0x1f_ffff_ffff_ffffn ? Number(packets) : packets, Lifetime: lifetime },
        });
      }),
    );
  });

  test('name the flags of an entry', () => {
    const value = Buffer.alloc(56);
    value.writeUInt16LE(0xfdff, 36);
    expect(line(Buffer.alloc(14, 6), value, '1.20')).toContain(
      'Flags=0xfdff [ RxClosing TxClosing Nat64 LBLoopback SeenNonSyn NodePort ProxyRedirect DSRInternal FromL7LB FromTunnel Unknown=0xf800 ]',
    );
  });

  test('of a service are told from the side of the client', () => {
    const key = Buffer.from('0a0000020a60000a1f9000500604', 'hex');
    expect(decodeConnection(key, 0, 4)).toEqual({
      protocol: 6,
      direction: 'SVC',
      related: false,
      source: '10.96.0.10',
      sourcePort: 8080,
      destination: '10.0.0.2',
      destinationPort: 80,
    });
    expect(line(key, Buffer.alloc(56), '1.20')).toMatch(/^TCP SVC 10.96.0.10:8080 -> 10.0.0.2:80 expires/);
  });

  test('and translations take any bytes', () => {
    for (const [keySize, valueSize, family] of [
      [14, 40, 4],
      [38, 56, 6],
    ] as const)
      fc.assert(
        fc.property(bytes(keySize), bytes(valueSize), (keys, values) => {
          const batch = { count: 1, keys, values, keySize, valueStride: valueSize };
          expect(translationLine(decodeTranslation(batch, 0, family), family)).toMatch(
            / (IN|OUT) \S+ -> \S+ (related )?(service )?XLATE_(DST|SRC) \S+ Created=\? \(raw \d+\) NeedsCT=\d+$/,
          );
          natJson(batch, 0, family);
        }),
      );
  });
});

describe('entries written as JSON', () => {
  test('are those of their objects, whatever the bytes', () => {
    for (const [keySize, valueSize, family] of [
      [14, 56, 4],
      [38, 56, 6],
    ] as const)
      for (const release of ['1.17', '1.20'] as const)
        fc.assert(
          fc.property(bytes(keySize), bytes(valueSize), (keys, values) => {
            const batch = { count: 1, keys, values, keySize, valueStride: valueSize };
            const object = conntrackJson(batch, 0, { family, release });
            const out = new AsciiWriter(16);
            conntrackEntryWriter(family, release)(out, batch, 0);
            expect(`[\n${out.take().toString('latin1')}\n]`).toBe(goJson([object], 2));
          }),
        );
    for (const [keySize, valueSize, family] of [
      [14, 40, 4],
      [38, 56, 6],
    ] as const)
      fc.assert(
        fc.property(bytes(keySize), bytes(valueSize), (keys, values) => {
          const batch = { count: 1, keys, values, keySize, valueStride: valueSize };
          const out = new AsciiWriter(16);
          natEntryWriter(family)(out, batch, 0);
          expect(`[\n${out.take().toString('latin1')}\n]`).toBe(goJson([natJson(batch, 0, family)], 2));
        }),
      );
  });
});

describe('texts', () => {
  test('of an endpoint, an ipcache entry and a policy key', () => {
    expect(texts.endpointKeyText({ ip: '10.0.0.1', key: 0, clusterId: 3 })).toBe('10.0.0.1@3:0');
    expect(texts.endpointKeyText({ ip: '', key: 0, clusterId: 0 })).toBe('nil');
    expect(
      texts.ipcacheText({ identity: 6, encryptKey: 255, tunnelEndpoint: '10.1.1.1', flags: 0b1011 }),
    ).toBe('identity=6 encryptkey=255 tunnelendpoint=10.1.1.1 flags=skiptunnel,hastunnel,remotecluster');
    expect(texts.ipcacheText117({ identity: 6, encryptKey: 0, tunnelEndpoint: '10.1.1.1', flags: 1 })).toBe(
      'identity=6 encryptkey=0 tunnelendpoint=10.1.1.1, flags=skiptunnel',
    );
  });

  test.each([
    [40, 0, 0, 'ANY'],
    [48, 17, 0, 'UDP'],
    [64, 6, 443, '443/TCP'],
    [61, 6, 8000, '8000-8007/TCP'],
    [49, 132, 32768, '32768-65535/SCTP'],
    [47, 6, 0, '<INVALID PREFIX LENGTH: 7>'],
    [70, 6, 0, '<INVALID PREFIX LENGTH: 30>'],
    [64, 99, 5, '5/99'],
  ])('of prefix %i, protocol %i and port %i are %j', (prefixLength, protocol, port, text) => {
    expect(texts.portProtocolText({ prefixLength, protocol, port })).toBe(text);
  });

  test('of a frontend with all its flags', () => {
    const key = { address: '10.96.0.1', port: 80, slot: 0, protocol: 6, scope: 1 };
    expect(texts.serviceKeyText(key, true)).toBe('10.96.0.1:80/TCP/i (0)');
    expect(texts.serviceKeyText({ ...key, address: 'fd00::1' }, false)).toBe('[fd00::1]:80/i (0)');
    const service = { word: 0x5000, count: 0, revNatId: 7, flags: 0x04c0, quarantined: 0 };
    expect(texts.frontendText(key, service)).toBe(
      '0.0.0.0:0 (7) (0) [ClusterIP, check source-range, l7-load-balancer] (L7LB Proxy Port: 80)',
    );
    expect(texts.frontendText(key, { ...service, flags: 0xffff, word: 0 })).toContain(
      '[ExternalIPs, Local, InternalLocal, two-scopes, sessionAffinity, check source-range, deny, 46x64, l7-load-balancer, delegate-if-local, dsr]',
    );
    expect(texts.serviceBackendText({ ...key, slot: 2 }, service, undefined, true)).toBe(
      'backend 20480 not found',
    );
  });

  test('of a translated socket keep the reference’s unswapped, signed ports', () => {
    expect(
      texts.socketNatText(
        { cookie: 9n, address: '10.0.0.1', port: 0x0080 },
        { address: '10.96.0.1', port: 0x0050, revNatId: 3 },
      ),
    ).toBe('10.0.0.1:-32768 -> 10.96.0.1:20480 (revnat=768)');
  });
});
