import { getEventListeners } from 'node:events';
import { setTimeout as later } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Deadline } from '../../src/lib/deadline.ts';

test('it ends after its time, and says that it was the time', async () => {
  using deadline = new Deadline(5, new AbortController().signal);
  expect(deadline.isOver).toBe(false);
  await later(30);
  expect(deadline.isOver).toBe(true);
  expect(deadline.signal.aborted).toBe(true);
  expect(deadline.signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('it ends with the first that it follows, for the same reason, and not for the time', async () => {
  const [a, b] = [new AbortController(), new AbortController()];
  using deadline = new Deadline(5, a.signal, undefined, b.signal);
  b.abort(new Error('enough'));
  expect(deadline.signal.reason).toMatchObject({ message: 'enough' });
  await later(30);
  expect(deadline.isOver).toBe(false);
});

test('what has ended before ends it at once', () => {
  const reason = new Error('before');
  using deadline = new Deadline(1000, new AbortController().signal, AbortSignal.abort(reason));
  expect(deadline.signal.reason).toBe(reason);
});

test('without a time it only follows', async () => {
  for (const none of [undefined, 0]) {
    using deadline = new Deadline(none, new AbortController().signal);
    await later(10);
    expect(deadline.signal.aborted).toBe(false);
  }
});

test('nothing of it is held once it is disposed of or ended', async () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const listeners = () => [a, b].map(({ signal }) => getEventListeners(signal, 'abort').length);
  const deadline = new Deadline(5, a.signal, b.signal);
  expect(listeners()).toEqual([1, 1]);
  deadline[Symbol.dispose]();
  expect(listeners()).toEqual([0, 0]);
  await later(30);
  expect(deadline.isOver).toBe(false);
  using other = new Deadline(undefined, a.signal, b.signal);
  a.abort();
  expect(other.signal.aborted).toBe(true);
  expect(listeners()).toEqual([0, 0]);
});
