import { describe, expect, test } from '@jest/globals';
import { findProblems, type KnownHealth } from '../../src/cluster/find-problems.ts';
import { NEWEST_RELEASE } from '../../src/model/release.ts';
import type { AgentStatus } from '../../src/model/status.ts';

const HEALTHY: AgentStatus = {
  release: NEWEST_RELEASE,
  development: false,
  attachMode: '',
  deviceMode: '',
  configuredDeviceMode: '',
  cilium: { state: 'Ok', message: '' },
  kvstore: { state: 'Disabled', message: '' },
  kubernetes: { state: 'Ok', message: '', apis: [] },
  ipam: { status: '', allocations: [] },
  controllers: [],
  hubble: { state: 'Ok', message: '' },
};

/** `level area subject: message` of every problem. */
function problems(status: Partial<AgentStatus>, known: KnownHealth = {}): string[] {
  return findProblems({ ...HEALTHY, ...status }, known).map(
    ({ level, area, subject, message }) => `${level} ${area} ${subject}: ${message}`,
  );
}

const controller = (name: string, consecutiveFailures: number, lastFailureMessage = 'no') => ({
  name,
  run: { consecutiveFailures, lastFailureMessage, lastFailure: '', lastSuccess: '' },
});
const module = (level: string) => ({
  path: ['agent', 'x'],
  level,
  message: 'm',
  error: '',
  updated: '',
  count: 1,
});

describe('a problem of the status', () => {
  test('is none in an answer with all its parts', () => {
    expect(problems({})).toEqual([]);
  });

  test.each(['cilium', 'kvstore', 'kubernetes', 'ipam', 'controllers', 'hubble'])(
    'is that %s is not in the answer',
    (part) => {
      expect(
        problems({
          [part]: undefined,
          kvstore: { state: 'Failure', message: 'x' },
          ...(part === 'kvstore' && { kvstore: undefined }),
        })[0],
      ).toBe(`unknown ${part} : not known: the answer does not have this part`);
      expect(findProblems({ ...HEALTHY, [part]: undefined }, undefined)).toHaveLength(
        part === 'cilium' ? 1 : 0,
      );
    },
  );

  test.each([
    ['', 'it has no state'],
    ['Sleepy', 'its state is "Sleepy"'],
  ])('is a component whose state is "%s"', (state, why) => {
    expect(problems({ hubble: { state, message: '' } })).toEqual([`unknown hubble : not known: ${why}`]);
  });

  test.each([
    [227, 254, []],
    [9, 10, ['warning ipam IPv4: 9 of 10 addresses of this node are taken']],
    [253, 254, ['warning ipam IPv4: 253 of 254 addresses of this node are taken']],
    [254, 254, ['degraded ipam IPv4: 254 of 254 addresses of this node are taken']],
    [0, 0, []],
  ])('is a pool of which %d of %d addresses are taken, from nine tenths on', (used, total, want) => {
    const ipam = { status: `IPv4: ${used}/${total} allocated from 10.0.0.0/24`, allocations: [] };
    expect(problems({ ipam })).toEqual(want);
  });

  test('is a controller that fails, degraded from the fifth time in a row on', () => {
    const controllers = [
      controller('a', 0),
      controller('b', 1, ''),
      controller('c', 4),
      controller('d', 5),
      { name: 'never run', run: undefined },
    ];
    expect(problems({ controllers })).toEqual([
      'degraded controller d: failed 5 times in a row: no',
      'warning controller b: failed once: no reason given',
      'warning controller c: failed 4 times in a row: no',
    ]);
  });

  test.each([
    [64, 'cilium config --num-pages 128'],
    [128, 'cilium config --num-pages 256'],
    [0, 'cilium config --num-pages 128'],
  ])('is a monitor of %d pages that lost events, which wants more', (pages, next) => {
    const nodeMonitor = { cpus: 2, pages, pageSize: 4096, lost: 3, unknown: 0 };
    const [found] = findProblems({ ...HEALTHY, nodeMonitor }, {});
    expect(found?.message).toBe('3 events lost: the ring buffer was full');
    expect(found?.next).toContain(next);
    expect(problems({ nodeMonitor: { ...nodeMonitor, lost: 0 } })).toEqual([]);
  });

  test('is a module that is degraded, not one that has stopped', () => {
    expect(problems({}, { modules: ['OK', 'Stopped', 'Degraded'].map(module) })).toEqual([
      'degraded module agent.x: m',
    ]);
  });

  test('is what could not be asked', () => {
    expect(problems({}, { missing: [{ what: 'modules', why: 'no answer' }] })).toEqual([
      'warning modules : not known: no answer',
    ]);
  });
});
