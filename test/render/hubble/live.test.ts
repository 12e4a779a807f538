import { expect, test } from '@jest/globals';
import { detailLines, short, sparkline } from '../../../src/render/hubble/live.ts';

test('a sparkline is as high as its highest value', () => {
  expect(sparkline([0, 1, 2])).toBe('▁▅█');
  expect(sparkline([0, 0])).toBe('▁▁');
});

test('large numbers are cut short', () => {
  expect([999, 9999, 12_345, 999_949, 2_500_000].map(short)).toEqual([
    '999',
    '9999',
    '12.3k',
    '999.9k',
    '2.5M',
  ]);
});

test('details show every field with its path', () => {
  expect(detailLines({ a: { b: 1, c: ['x', 'y'] }, d: [{ e: true }] })).toEqual([
    'a.b: 1',
    'a.c: x, y',
    'd[0].e: true',
  ]);
});
