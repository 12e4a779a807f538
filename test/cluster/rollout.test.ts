import { describe, expect, test } from '@jest/globals';
import { blockingPod, freshPods, isDone, openPods } from '../../src/cluster/rollout.ts';
import type { Rollout, RolloutPod } from '../../src/model/cluster.ts';

const pod = (name: string, more: Partial<RolloutPod> = {}): RolloutPod => ({
  name,
  node: `on-${name}`,
  image: 'cilium:v2',
  isNew: true,
  trouble: undefined,
  container: 'cilium-agent',
  createdAt: '2026-11-01T00:00:00Z',
  ...more,
});
const rollout = (pods: RolloutPod[], more: Partial<Rollout> = {}): Rollout => ({
  type: 'DaemonSet',
  name: 'cilium',
  desired: pods.length,
  image: 'cilium:v2',
  isObserved: true,
  pause: undefined,
  pods,
  leftOut: [],
  ...more,
});

describe('how far a roll-out came', () => {
  test.each<[string, Rollout, boolean, string[], string | undefined]>([
    ['all new and ready', rollout([pod('a'), pod('b')]), true, [], undefined],
    ['one is old', rollout([pod('a'), pod('b', { isNew: false })]), false, ['b'], undefined],
    ['one is missing', rollout([pod('a')], { desired: 2 }), false, [], undefined],
    [
      'an old one is left over',
      rollout([pod('a'), pod('b', { isNew: false })], { desired: 1 }),
      false,
      ['b'],
      undefined,
    ],
    ['the change was not seen', rollout([pod('a')], { isObserved: false }), false, [], undefined],
    [
      'templates are not known: the image tells',
      rollout([pod('a', { isNew: undefined }), pod('b', { isNew: undefined, image: 'cilium:v1' })]),
      false,
      ['b'],
      undefined,
    ],
    [
      'of two that fail the new one holds it up',
      rollout([
        pod('a', { isNew: false, trouble: 'x', createdAt: '2026-10-01T00:00:00Z' }),
        pod('b', { trouble: 'y' }),
      ]),
      false,
      ['a', 'b'],
      'b',
    ],
    [
      'of two new ones the older',
      rollout([pod('a', { trouble: 'x' }), pod('b', { trouble: 'y', createdAt: '2026-10-01T00:00:00Z' })]),
      false,
      ['a', 'b'],
      'b',
    ],
  ])('%s', (_, given, done, open, blocking) => {
    expect([isDone(given), openPods(given).map(({ name }) => name), blockingPod(given)?.name]).toEqual([
      done,
      open,
      blocking,
    ]);
    expect(freshPods(given).length + open.length).toBe(given.pods.length);
  });
});
