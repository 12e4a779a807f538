import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';

import {
  describeKey,
  formatKey,
  type IpsecKey,
  KEY_ALGORITHMS,
  newKey,
  parseKey,
  rotateKey,
} from '../../../src/cluster/encryption/key.ts';
import { expectedKeys, summarize } from '../../../src/cluster/encryption/status.ts';
import fc from '../../helpers/properties.ts';

const digits = (least: number) =>
  fc.uint8Array({ minLength: least, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const marked = fc.tuple(fc.constantFrom('', '0x'), digits(8)).map(([mark, key]) => mark + key);
const word = fc.constantFrom('rfc4106(gcm(aes))', 'hmac(sha256)', 'cbc(aes)', 'digest_null');
const key: fc.Arbitrary<IpsecKey> = fc.record({
  spi: fc.integer({ min: 1, max: 15 }),
  algorithm: word,
  key: marked,
  rest: fc.oneof(
    fc.record({ size: fc.integer({ min: 0, max: 512 }) }),
    fc.record({ cipher: word, key: marked }),
  ),
});
const secretsOf = ({ key: own, rest }: IpsecKey) => ['key' in rest ? rest.key : own, own];

test('a key that is written is the one that is read', () => {
  fc.assert(
    fc.property(key, fc.constantFrom('', '\n', '\n\n'), (one, end) => {
      expect(parseKey(formatKey(one) + end)).toEqual(one);
      // The plus sign is in older Secrets now and then only.
      expect(parseKey(formatKey(one).replace('+ ', ' '))).toEqual(one);
    }),
  );
});

test('a rotated key has the next SPI, the same form and none of the old digits', () => {
  fc.assert(
    fc.property(key, (one) => {
      const next = rotateKey(one, randomBytes);
      expect(next.spi).toBe((one.spi % 15) + 1);
      const form = (of: IpsecKey) => formatKey({ ...of, spi: 1 }).replace(/\b(0x)?[0-9a-f]{16,}/g, '$1#');
      expect(form(next)).toBe(form(one));
      expect(formatKey(next).length - String(next.spi).length).toBe(
        formatKey(one).length - String(one.spi).length,
      );
      for (const secret of secretsOf(one)) expect(formatKey(next)).not.toContain(secret);
    }),
  );
});

test('what describes a key shows nothing of it', () => {
  fc.assert(
    fc.property(key, (one) => {
      for (const secret of secretsOf(one)) expect(describeKey(one)).not.toContain(secret);
    }),
  );
});

test('what is no key is never shown in its error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseKey(text);
      } catch (error) {
        if (text.trim().length > 8) expect(String(error)).not.toContain(text.trim());
      }
    }),
  );
});

test('fifteen rotations lead back to the first SPI', () => {
  let one = newKey('rfc4106-gcm-aes', randomBytes);
  const spis = Array.from({ length: 15 }, () => {
    one = rotateKey(one, randomBytes);
    return one.spi;
  });
  expect(spis).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1]);
  for (const algorithm of KEY_ALGORITHMS) expect(newKey(algorithm, randomBytes, one).spi).toBe(2);
});

test.each([
  [{}, 3, 0],
  [{ 'enable-ipsec': 'true', 'routing-mode': 'native' }, 3, 4],
  [{ 'enable-ipsec': 'true' }, 3, 8],
  [{ 'enable-ipsec': 'true', 'routing-mode': 'tunnel', 'enable-ipv4': 'true', 'enable-ipv6': 'true' }, 3, 16],
  [{ 'enable-ipsec': 'true', 'routing-mode': 'native', ipam: 'eni' }, 3, 6],
  [{ 'enable-ipsec': 'true', 'routing-mode': 'native', ipam: 'azure', 'enable-ipv6': 'true' }, 2, 3],
  [{ 'enable-ipsec': 'true' }, 1, 0],
])('%j of %d nodes: %d keys', (config, nodes, keys) => {
  expect(expectedKeys(config, nodes)).toBe(keys);
});

test('the highest sequence number does not depend on the order of the nodes', () => {
  const node = (name: string, maxSequenceNumber: string) => ({
    node: name,
    document: {},
    state: {
      mode: 'IPsec',
      message: '',
      ipsec: { decryptInterfaces: [], keysInUse: 1, maxSequenceNumber, errorCount: 0, errors: [] },
    },
  });
  const numbers = ['N/A', '', '0x0/0xffffffff', '0xa/0xffffffff', '0x100000000000/0xffffffffffffffff'];
  fc.assert(
    fc.property(fc.shuffledSubarray(numbers, { minLength: 1 }), (some) => {
      const highest = [...some].sort((a, b) => numbers.indexOf(b) - numbers.indexOf(a))[0];
      const told = some.map((number, i) => node(`n${i}`, number));
      const { ipsec } = summarize(told, 1, some.length);
      const none = ['N/A', ''];
      if (none.includes(highest ?? '')) expect(none).toContain(ipsec?.maxSequence);
      else expect(ipsec?.maxSequence).toBe(highest);
    }),
  );
});
