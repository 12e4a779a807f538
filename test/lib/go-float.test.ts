import { expect, test } from '@jest/globals';
import { goFloat } from '../../src/lib/go-float.ts';

/** What Go's fmt.Println prints of these. */
test.each([
  [0, '0'],
  [-0, '-0'],
  [1, '1'],
  [0.5, '0.5'],
  [999999, '999999'],
  [1e6, '1e+06'],
  [1048576, '1.048576e+06'],
  [123456789, '1.23456789e+08'],
  [1e21, '1e+21'],
  [1e22, '1e+22'],
  [1e100, '1e+100'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [1.5e-7, '1.5e-07'],
  [-1234567.5, '-1.2345675e+06'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])('%d is %s', (value, text) => {
  expect(goFloat(value)).toBe(text);
});
