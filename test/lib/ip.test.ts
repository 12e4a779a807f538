import { expect, test } from '@jest/globals';
import { formatIpv4, formatIpv6, formatMac, joinHostPort } from '../../src/lib/ip.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

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
])('the address %s is written %s', (hex, text) => {
  expect(formatIpv6(bytes(hex))).toBe(text);
});

test('an address is read at its offset', () => {
  expect(formatIpv4(bytes('ff0a0000ff01'), 1)).toBe('10.0.0.255');
  expect(formatMac(bytes('000a6b66a1f973'), 1)).toBe('0a:6b:66:a1:f9:73');
});

test('an IPv6 host is bracketed before its port', () => {
  expect(joinHostPort('::1', 80)).toBe('[::1]:80');
  expect(joinHostPort('10.0.0.1', 80)).toBe('10.0.0.1:80');
});
