import { expect, test } from '@jest/globals';
import { parseQuantity } from '../../src/lib/quantity.ts';

test.each([
  ['250m', 0.25],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['128974848', 128974848],
  ['123456789n', 0.123456789],
  ['1e3', 1000],
  ['5k', 5000],
  ['7Ki', 7168],
  ['', undefined],
  ['5 Gi', undefined],
  ['mi', undefined],
])('%s', (text, value) => expect(parseQuantity(text)).toBe(value));
