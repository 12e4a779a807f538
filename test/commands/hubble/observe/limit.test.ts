import { describe, expect, test } from '@jest/globals';
import { Limit, limitOf, MOST_HELD } from '../../../../src/commands/hubble/observe/limit.ts';
import { MAX_UINT64 } from '../../../../src/commands/hubble/observe/selectors.ts';
import fc from '../../../helpers/properties.ts';

async function* each<T>(batches: readonly (readonly T[])[]): AsyncGenerator<readonly T[]> {
  yield* batches;
}

const flat = async <T>(batches: AsyncIterable<readonly T[]>) => (await Array.fromAsync(batches)).flat();

const batches = fc.array(fc.array(fc.nat(), { maxLength: 6 }), { maxLength: 8 });
const most = fc.integer({ min: 1, max: 12 });

describe('a limit', () => {
  test('keeps the first or the last records, however they are cut into batches', () =>
    fc.assert(
      fc.asyncProperty(batches, most, async (all, n) => {
        expect(await flat(new Limit('first', n).cut(each(all)))).toEqual(all.flat().slice(0, n));
        expect(await flat(new Limit('last', n).cut(each(all)))).toEqual(all.flat().slice(-n));
      }),
    ));

  test('that counts from the first asks for no more once it is reached', async () => {
    const asked: number[] = [];
    const source = async function* () {
      for (let i = 1; ; i++) {
        asked.push(i);
        yield [i, i];
      }
    };
    expect(await flat(new Limit('first', 3).cut(source()))).toEqual([1, 1, 2]);
    expect(asked).toEqual([1, 2]);
  });

  test('tells a source when it is reached', async () => {
    const limit = new Limit('first', 3);
    expect([limit.isReached(2), limit.isReached(3)]).toEqual([false, true]);
    await limit.cut(each([[1, 2]])).next();
    expect([limit.isReached(0), limit.isReached(1)]).toEqual([false, true]);
    expect(new Limit('last', 3).isReached(9)).toBe(false);
  });

  test('holds copies, and only of what may be among the last', async () => {
    const held: number[] = [];
    const hold = (record: number) => {
      held.push(record);
      return -record;
    };
    expect(await flat(new Limit('last', 2).cut(each([[1, 2, 3], [4]]), hold))).toEqual([-3, -4]);
    expect(held).toEqual([2, 3, 4]);
  });

  test('gives many records in batches of a size that can be printed', async () => {
    const all = Array.from({ length: 2500 }, (_, i) => i);
    const sizes = (await Array.fromAsync(new Limit('last', 2500).cut(each([all])))).map(
      ({ length }) => length,
    );
    expect(sizes.filter((size) => size > 0)).toEqual([1000, 1000, 500]);
  });
});

test.each([
  [false, 0n],
  [false, MAX_UINT64],
  [true, MAX_UINT64],
])('no limit: first %j, number %d', (first, number) => {
  expect(limitOf({ first, number, follow: false })).toBeUndefined();
});

test('the last are refused beyond a million, the first are not', () => {
  const number = BigInt(MOST_HELD) + 1n;
  expect(() => limitOf({ first: false, number, follow: false })).toThrow(
    '--last must be <= 1_000_000, got 1000001',
  );
  expect(limitOf({ first: true, number, follow: false })).toBeInstanceOf(Limit);
  expect(limitOf({ first: false, number: number - 1n, follow: false })).toBeInstanceOf(Limit);
});
