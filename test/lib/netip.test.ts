import { expect, test } from '@jest/globals';
import { parseAddress, parsePrefix, withoutZone } from '../../src/lib/address.ts';
import { addressFault, prefixFault } from '../../src/lib/netip.ts';
import fc from '../helpers/properties.ts';

test.each([
  ['', 'unable to parse IP'],
  ['abc', 'unable to parse IP'],
  ['10.0.0', 'IPv4 address too short'],
  ['10.0.0.1.2', 'IPv4 address too long'],
  ['10.0.0.01', 'IPv4 field has octet with leading zero'],
  ['10.0.0.256', 'IPv4 field has value >255'],
  ['10..0.1', 'IPv4 field must have at least one digit (at ".0.1")'],
  ['.10.0.0', 'IPv4 field must have at least one digit (at ".10.0.0")'],
  ['10.0.0.', 'IPv4 field must have at least one digit (at ".")'],
  ['10.0.0.x', 'unexpected character (at "x")'],
  ['%eth0', 'missing IPv6 address'],
  ['fe80::1%', 'zone must be a non-empty string'],
  ['1:2:3', 'address string too short'],
  ['1:2:3:4:5:6:7:8:9', 'trailing garbage after address (at "9")'],
  ['1::2:3:4:5:6:7:8', 'the :: must expand to at least one field of zeros'],
  ['1::2::3', 'multiple :: in address (at ":3")'],
  ['fd00::g', 'each colon-separated field must have at least one digit (at "g")'],
  ['fd00::12345', 'each group must have 4 or less digits (at "12345")'],
  [':1::2', 'each colon-separated field must have at least one digit (at ":1::2")'],
  ['::ffff:10.0.0', 'IPv4 address too short'],
])('netip refuses the address "%s": %s', (text, why) => {
  expect(addressFault(text)).toBe(`ParseAddr(${JSON.stringify(text)}): ${why}`);
});

test.each([
  ['10.0.0.0', "no '/'"],
  ['10.0.0/8', 'ParseAddr("10.0.0"): IPv4 address too short'],
  ['fe80::%eth0/64', 'IPv6 zones cannot be present in a prefix'],
  ['10.0.0.0/', 'bad bits after slash: ""'],
  ['10.0.0.0/08', 'bad bits after slash: "08"'],
  ['10.0.0.0/8x', 'bad bits after slash: "8x"'],
  ['10.0.0.0/33', 'prefix length out of range'],
  ['fd00::/129', 'prefix length out of range'],
])('netip refuses the prefix "%s": %s', (text, why) => {
  expect(parsePrefix(text)).toBeUndefined();
  expect(prefixFault(text)).toBe(`netip.ParsePrefix(${JSON.stringify(text)}): ${why}`);
});

test('every text that is not an address has a fault, and no address has one', () => {
  const near = fc.array(fc.constantFrom(':', '::', '.', '%', '0', '1', '25', '256', 'ff', 'fffff', 'g'), {
    maxLength: 14,
  });
  const texts = fc.oneof(
    near.map((parts) => parts.join('')),
    fc.ipV4(),
    fc.ipV6(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const valid = parseAddress(withoutZone(text)) !== undefined;
      const plain = addressFault(text) === `ParseAddr(${JSON.stringify(text)}): unable to parse IP`;
      // Without a fault of its own a text has neither dots nor colons, or is an address.
      expect(plain).toBe(valid || !/[.:%]/.test(text));
    }),
    { numRuns: 3000 },
  );
});
