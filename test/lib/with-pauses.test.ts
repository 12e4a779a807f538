import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { withPauses } from '../../src/lib/with-pauses.ts';

const { signal } = new AbortController();

/** Time that passes when a test says so. */
function clock() {
  const waiting: (() => void)[] = [];
  return {
    sleep: () => new Promise<void>((resolve) => waiting.push(resolve)),
    pass: () => waiting.at(-1)?.(),
  };
}

test('an empty batch is given whenever nothing has come for a while', async () => {
  const { sleep, pass } = clock();
  let send = (_: readonly number[]) => {};
  const source = async function* () {
    for (let i = 0; i < 2; i++) yield await new Promise<readonly number[]>((resolve) => (send = resolve));
  };
  const all = withPauses(source, { ms: 1, signal, sleep });
  const next = async (act: () => void) => {
    const got = all.next();
    await turn();
    act();
    return (await got).value;
  };
  expect(await next(pass)).toEqual([]);
  expect(await next(pass)).toEqual([]);
  expect(await next(() => send([1]))).toEqual([1]);
  expect(await next(pass)).toEqual([]);
  expect(await next(() => send([2]))).toEqual([2]);
  expect(await all.next()).toEqual({ done: true, value: undefined });
});

test('what comes while an empty batch is looked at is not waited for', async () => {
  const { sleep, pass } = clock();
  let send = (_: readonly number[]) => {};
  const source = async function* () {
    yield await new Promise<readonly number[]>((resolve) => (send = resolve));
  };
  const all = withPauses(source, { ms: 1, signal, sleep });
  const quiet = all.next();
  await turn();
  pass();
  expect((await quiet).value).toEqual([]);
  send([1]);
  await turn();
  expect((await all.next()).value).toEqual([1]);
});

test('the source ends with who reads it, and a failure of it is passed on', async () => {
  const { sleep, pass } = clock();
  let isEnded = false;
  const quiet = async function* (stop: AbortSignal) {
    await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()));
    isEnded = true;
    yield [];
  };
  const all = withPauses(quiet, { ms: 1, signal, sleep });
  const first = all.next();
  await turn();
  pass();
  await first;
  await all.return(undefined);
  expect(isEnded).toBe(true);
  // biome-ignore lint/correctness/useYield: it fails at once
  const broken = async function* () {
    throw new Error('gone');
  };
  await expect(withPauses(broken, { ms: 1, signal, sleep }).next()).rejects.toThrow('gone');
});
