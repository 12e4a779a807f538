import { expect, test } from '@jest/globals';
import { durationSeconds } from '../../src/lib/duration.ts';
import { goFixed } from '../../src/lib/go-fixed.ts';
import { parseGoUint } from '../../src/lib/go-integer.ts';

test.each([
  [12.345, '12.35'],
  [0.125, '0.12'],
  [0.375, '0.38'],
  [12.625, '12.62'],
  [-0.125, '-0.12'],
  [1.005, '1.00'],
  [100, '100.00'],
  [5e-324, '0.00'],
  [1e21, '1000000000000000000000.00'],
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
  [Number.NaN, 'NaN'],
])('%d has two digits behind the point as %s', (value, text) => expect(goFixed(value, 2)).toBe(text));

test.each([
  ['0', 0n],
  ['20', 20n],
  ['010', 8n],
  ['0x1F', 31n],
  ['0b101', 5n],
  ['0o17', 15n],
  ['1_000', 1000n],
  ['0x_ff', 255n],
  ['0_7', 7n],
  ['18446744073709551616', 18_446_744_073_709_551_616n],
])('%s is a number', (text, number) => expect(parseGoUint(text)).toBe(number));

test.each(['', '08', '+5', '-1', ' 5', '1.5', '1e3', '_1', '1_', '1__0', '0x', 'x'])(
  '"%s" is no number',
  (text) => expect(parseGoUint(text)).toBeUndefined(),
);

test('seconds of nanoseconds that do not fit 63 bits are below zero', () => {
  expect(durationSeconds(1_500_000_000n)).toBe(1.5);
  expect(durationSeconds(18_446_744_073_709_551_615n)).toBe(-1e-9);
});
