import { expect, test } from '@jest/globals';
import { MOST_HELD } from '../../../../src/commands/hubble/observe/limit.ts';
import { sortByTime } from '../../../../src/commands/hubble/observe/sort.ts';
import type { GetFlowsResponse } from '../../../../src/model/hubble.gen.ts';

async function* batches(...all: GetFlowsResponse[][]): AsyncGenerator<GetFlowsResponse[]> {
  yield* all;
}

const at = (fraction: string) => ({ flow: { time: `2026-11-22T08:00:00${fraction}Z` } });

test('messages come in the order of their times, whatever the length of the fractions', async () => {
  const [whole, a, b, c] = [at(''), at('.123'), at('.123000001'), at('.45')];
  const lost = { lost_events: {}, time: '2026-11-22T07:59:59Z' };
  const sorted = await Array.fromAsync(sortByTime(batches([c, b], [whole, lost, a])));
  expect(sorted.flat()).toEqual([lost, whole, a, b, c]);
});

test('messages of the same time keep their order', async () => {
  const same = ['x', 'y', 'z'].map((uuid) => ({ flow: { uuid, time: '2026-11-22T08:00:00Z' } }));
  expect((await Array.fromAsync(sortByTime(batches(same)))).flat()).toEqual(same);
});

test('more than can be held is refused', async () => {
  const full = new Array<GetFlowsResponse>(MOST_HELD).fill({});
  await expect(sortByTime(batches(full, [{}])).next()).rejects.toThrow('--sort takes up to 1000000 records');
});
