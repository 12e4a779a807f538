import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import {
  type AddressRange,
  addressBytes,
  compareRanges,
  contains,
  formatAddress,
  formatIp,
  formatIpv4,
  formatIpv6,
  formatMac,
  formatRange,
  joinHostPort,
  parseAddress,
  parseMac,
  parsePrefix,
  parseRange,
  rangeAt,
  splitHostPort,
  WIDTH,
  without,
  withoutZone,
} from '../../src/lib/address.ts';
import fc from '../helpers/properties.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

function range(text: string): AddressRange {
  const found = parseRange(text);
  if (!found) throw new Error(`"${text}" is not a range of addresses`);
  return found;
}

const ranges = fc
  .constantFrom<4 | 6>(4, 6)
  .chain((family) =>
    fc.record({
      family: fc.constant(family),
      address: fc.bigInt({ min: 0n, max: (1n << BigInt(WIDTH[family])) - 1n }),
      length: fc.integer({ min: 0, max: WIDTH[family] }),
    }),
  )
  .map(({ family, address, length }) => rangeAt(family, address, length));

describe('text', () => {
  test.each([
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['fd000011000000000000000000005890', 'fd00:11::5890'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['20010db800010000000000000001abcd', '2001:db8:1::1:abcd'],
    ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
    ['20010db8000000020003000400050006', '2001:db8:0:2:3:4:5:6'],
    ['00010000000000020000000000030004', '1::2:0:0:3:4'],
    ['00010000000000000000000000000000', '1::'],
    ['00000000000000000000ffff0a000001', '10.0.0.1'],
  ])('the bytes %s are written %s', (hex, text) => {
    expect(formatIpv6(bytes(hex))).toBe(text);
  });

  test('an address is read at its offset', () => {
    expect(formatIpv4(bytes('ff0a0000ff01'), 1)).toBe('10.0.0.255');
    expect(formatMac(bytes('000a6b66a1f973'), 1)).toBe('0a:6b:66:a1:f9:73');
  });

  test.each([
    ['10.0.0.1', 4, 0x0a000001n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['::', 6, 0n],
    ['1::', 6, 1n << 112n],
    ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n],
    ['1:2:3:4:5:6:7::', 6, 0x00010002000300040005000600070000n],
    ['::2:3:4:5:6:7:8', 6, 0x00000002000300040005000600070008n],
    ['FD00::aB', 6, 0xfd0000000000000000000000000000abn],
    ['::ffff:10.0.0.1', 6, 0xffff0a000001n],
    ['64:ff9b::10.0.0.255', 6, 0x0064ff9b0000000000000000_0a0000ffn],
    ['1:2:3:4:5:6:7.8.9.10', 6, 0x000100020003000400050006_0708090an],
  ] as const)('%s is an address', (text, family, number) => {
    expect(parseAddress(text)).toEqual({ family, first: number, last: number, length: WIDTH[family] });
  });

  test.each([
    '',
    '10',
    '10.0.0',
    '10.0.0.01',
    '010.0.0.1',
    '10.0.0.256',
    '1.2.3.4.5',
    ' 10.0.0.1',
    ':::',
    '1::2::3',
  ])('"%s" is not an address', (text) => expect(parseAddress(text)).toBeUndefined());

  test.each(['fe80::1%eth0', '12345::', 'fd00::g', '1:2:3:4:5:6:7:8:9', '[::1]', '10.0.0.0/8'])(
    '"%s" is not an address alone',
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );

  test.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/033',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '/8',
    'fd00::/129',
    'fd00::/64/64',
    'fe80::%eth0/64',
    '10.0.0.0/8 ',
  ])('"%s" is not a prefix', (text) => expect(parsePrefix(text)).toBeUndefined());

  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255/0', '0.0.0.0/0'],
    ['10.0.0.1', '10.0.0.1/32'],
    ['FD00:0:0::1/64', 'fd00::/64'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1/128'],
    ['::ffff:10.0.0.1/96', '::ffff:0.0.0.0/96'],
    ['::/0', '::/0'],
  ])('the range %s is written %s', (text, written) => {
    expect(formatRange(range(text))).toBe(written);
  });

  test('what is written is read again', () => {
    fc.assert(
      fc.property(ranges, (one) => {
        expect(parsePrefix(formatRange(one))).toEqual(one);
        expect(parseAddress(formatAddress(one))?.first).toBe(one.first);
        expect(isIP(formatAddress(one))).toBe(one.family);
      }),
    );
  });

  test('bytes and text agree', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const raw = addressBytes(range(text));
        expect(raw).toHaveLength(16);
        expect(BigInt(`0x${raw.toString('hex')}`)).toBe(range(text).first);
        expect(range(formatIp(raw)).first & 0xffffffffn).toBe(range(text).first & 0xffffffffn);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect([...addressBytes(range(text))].join('.')).toBe(text);
        expect(formatIp(addressBytes(range(text)))).toBe(text);
      }),
    );
  });

  test.each([
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%', 'fe80::1%'],
    ['fe80::1%a%b', 'fe80::1'],
    ['10.0.0.1%eth0', '10.0.0.1%eth0'],
    ['::1', '::1'],
  ])('%s without its zone is %s', (text, bare) => expect(withoutZone(text)).toBe(bare));
});

describe('ranges', () => {
  const inside = (outer: AddressRange, { family, first, last }: AddressRange) =>
    outer.family === family &&
    first >> BigInt(WIDTH[family] - outer.length) === outer.first >> BigInt(WIDTH[family] - outer.length) &&
    last >> BigInt(WIDTH[family] - outer.length) === outer.first >> BigInt(WIDTH[family] - outer.length);

  test('a range holds what begins with its bits', () => {
    fc.assert(
      fc.property(ranges, ranges, fc.nat(128), (one, other, length) => {
        const within = rangeAt(one.family, one.last, Math.min(length, WIDTH[one.family]));
        for (const [a, b] of [
          [one, other],
          [one, within],
          [within, one],
        ] as const)
          expect(contains(a, b)).toBe(inside(a, b));
      }),
    );
  });

  test.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.1.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['0.0.0.0/0', 'fd00::/8', false],
    ['::/0', '10.0.0.1', false],
    ['::/0', 'fd00::1', true],
  ])('%s holds %s: %s', (outer, inner, expected) => {
    expect(contains(range(outer), range(inner))).toBe(expected);
  });

  test('an exception leaves the prefixes around it', () => {
    const left = (outer: string, ...holes: string[]) =>
      without(range(outer), holes.map(range)).map(formatRange);
    expect(left('10.0.0.0/8', '10.96.0.0/12')).toEqual([
      '10.0.0.0/10',
      '10.64.0.0/11',
      '10.112.0.0/12',
      '10.128.0.0/9',
    ]);
    expect(left('10.0.0.0/8', '0.0.0.0/0')).toEqual([]);
    expect(left('10.0.0.0/8', '10.0.0.0/8')).toEqual([]);
    expect(left('10.0.0.0/8', '11.0.0.0/8')).toEqual(['10.0.0.0/8']);
    expect(left('10.0.0.0/30', '10.0.0.1', '10.0.0.3')).toEqual(['10.0.0.0/32', '10.0.0.2/32']);
    expect(left('fd00::/126', 'fd00::2/127')).toEqual(['fd00::/127']);
  });

  test('what is left and the exceptions make up the whole', () => {
    const holes = fc.array(fc.record({ at: fc.nat(255), length: fc.integer({ min: 24, max: 32 }) }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(holes, (chosen) => {
        const outer = range('10.0.0.0/24');
        const cut = chosen.map(({ at, length }) => rangeAt(4, outer.first + BigInt(at), length));
        const left = without(outer, cut);
        for (let offset = 0n; offset < 256n; offset++) {
          const address = rangeAt(4, outer.first + offset, 32);
          const kept = left.filter((part) => contains(part, address)).length;
          expect(kept).toBe(cut.some((hole) => contains(hole, address)) ? 0 : 1);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('ranges are ordered by length, then by their bytes', () => {
    const texts = [
      'fd00::/8',
      '0.0.0.0/0',
      '10.0.0.0/24',
      '::/0',
      'fd00::/24',
      'a00::/24',
      '9.9.9.0/24',
      '10.0.0.1',
    ];
    expect(texts.map(range).toSorted(compareRanges).map(formatRange)).toEqual([
      '0.0.0.0/0',
      '::/0',
      'fd00::/8',
      '9.9.9.0/24',
      '10.0.0.0/24',
      'a00::/24',
      'fd00::/24',
      '10.0.0.1/32',
    ]);
    expect(compareRanges(range('10.0.0.0/8'), range('10.0.0.0/8'))).toBe(0);
  });
});

describe('ports and hardware addresses', () => {
  test('an IPv6 host is bracketed before its port', () => {
    expect(joinHostPort('::1', 80)).toBe('[::1]:80');
    expect(joinHostPort('10.0.0.1', 80)).toBe('10.0.0.1:80');
  });

  test('what is joined is split again', () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, fc.nat(65_535), (host, port) => {
        expect(splitHostPort(joinHostPort(host, port))).toEqual({ host, port });
      }),
    );
  });

  test.each([
    '10.0.0.1',
    '::1',
    '::1:80',
    '[::1]',
    '[::1]80',
    ':80',
    '[]:80',
    'a:',
    'a:65536',
    'a:-1',
    'a:b',
    'a:80x',
    '[a]b:80',
  ])('"%s" is not a host and a port', (text) => expect(splitHostPort(text)).toBeUndefined());

  test('a MAC address is six bytes', () => {
    expect(parseMac('02:42:ac:11:00:fF')).toEqual(Buffer.from('0242ac1100ff', 'hex'));
    expect(parseMac('02-42-ac-11-00-02')).toEqual(Buffer.from('0242ac110002', 'hex'));
    for (const text of ['', '02:42:ac:11:00', '02:42:ac:11:00:02:03', '0242ac110002', '02:42:ac:11:00:0g'])
      expect(parseMac(text)).toBeUndefined();
  });
});
