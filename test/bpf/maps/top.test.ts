import { expect, test } from '@jest/globals';
import { TopCounter } from '../../../src/bpf/maps/top.ts';

test('the most frequent come first, equal ones by name', () => {
  const counter = new TopCounter();
  for (const key of ['b', 'a', 'c', 'c']) counter.add(key);
  expect(counter.top(2)).toEqual([
    { key: 'c', count: 2 },
    { key: 'a', count: 1 },
  ]);
  expect([counter.total, counter.error]).toEqual([4, 0]);
});

test('with too many keys the rarest are given up, and the error says by how much a count is too small', () => {
  const counter = new TopCounter();
  for (let i = 0; i < 10; i++) counter.add('often');
  for (let i = 0; i < 100_001; i++) counter.add(`key ${i}`);
  expect(counter.error).toBe(1);
  expect(counter.top(2)[0]).toEqual({ key: 'often', count: 9 });
  expect(counter.total).toBe(100_011);
});
