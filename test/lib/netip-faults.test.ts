import { expect, test } from '@jest/globals';
import { addressFault, prefixFault } from '../../src/lib/netip.ts';

test.each([
  ['k8s:app=web', 'each colon-separated field must have at least one digit (at "k8s:app=web")'],
  ['http://a.b/c', 'each colon-separated field must have at least one digit (at "http://a.b/c")'],
  ['1:2x', 'unexpected character, want colon (at "x")'],
  ['1:2:', 'colon must be followed by more characters (at ":")'],
  ['12345::', 'each group must have 4 or less digits (at "12345::")'],
  ['1::2::3', 'multiple :: in address (at ":3")'],
  ['1:2:3', 'address string too short'],
  ['1:2:3:4:5:6:7:8:9', 'trailing garbage after address (at "9")'],
  ['1:2:3:4::5:6:7:8', 'the :: must expand to at least one field of zeros'],
  ['1:2.3.4.5', 'embedded IPv4 address must replace the final 2 fields of the address (at "2.3.4.5")'],
  [
    '::1:2:3:4:5:6:7:1.2.3.4',
    'too many hex fields to fit an embedded IPv4 at the end of the address (at "1.2.3.4")',
  ],
  ['::1.2.3.x', 'unexpected character (at "x")'],
  ['::1%', 'zone must be a non-empty string'],
])('%s', (text, why) => expect(addressFault(text)).toBe(`ParseAddr("${text}"): ${why}`));

test('a prefix of too many bits', () => {
  expect(prefixFault('1.2.3.4/12345')).toBe('netip.ParsePrefix("1.2.3.4/12345"): prefix length out of range');
  expect(prefixFault(`::/${2n ** 63n - 1n}`)).toMatch(/prefix length out of range$/);
  expect(prefixFault(`::/${2n ** 63n}`)).toMatch(/bad bits after slash: "9223372036854775808"$/);
});
