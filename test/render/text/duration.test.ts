import { describe, expect, test } from '@jest/globals';
import { durationSeconds, goDuration, humanAge, timeSince } from '../../../src/render/text/duration.ts';

describe('a duration as Go prints it', () => {
  test.each([
    [0, '0s'],
    [1, '1ns'],
    [999, '999ns'],
    [1000, '1µs'],
    [562565, '562.565µs'],
    [1_036_864, '1.036864ms'],
    [1_500_000_000, '1.5s'],
    [60_000_000_000, '1m0s'],
    [110_045_668_648, '1m50.045668648s'],
    [3_602_000_000_000, '1h0m2s'],
    [-2_000_000_000, '-2s'],
  ])('%d ns is %s', (ns, text) => {
    expect(goDuration(ns)).toBe(text);
  });
});

describe('an age as kubectl words it', () => {
  test.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [11_100, '3h5m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [49 * 3600, '2d1h'],
    [8 * 86400, '8d'],
    [730 * 86400, '2y'],
    [740 * 86400, '2y10d'],
    [9 * 365 * 86400, '9y'],
    [-1, '0s'],
    [-5, '<invalid>'],
  ])('%d s is %s', (seconds, text) => {
    expect(humanAge('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1) + seconds * 1000)).toBe(text);
  });

  test('is unknown without a time', () => {
    expect([humanAge(undefined, 0), humanAge('0001-01-01T00:00:00Z', 0), humanAge('x', 0)]).toEqual([
      'n/a',
      'n/a',
      'n/a',
    ]);
  });
});

test('a time that never was is never', () => {
  expect(timeSince('0001-01-01T00:00:00.000Z', 1)).toBe('never');
  expect(timeSince('2026-01-01T00:00:00.900Z', Date.UTC(2026, 0, 1, 1, 0, 2))).toBe('1h0m1s ago');
});

test('ages are no longer than a duration of Go', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(timeSince('0002-01-01T00:00:00Z', now)).toBe('2562047h47m16s ago');
  expect(timeSince('9999-12-31T23:59:59Z', now)).toBe('-2562047h47m16s ago');
  expect(humanAge('0002-01-01T00:00:00Z', now)).toBe('292y');
});

test('a printed duration is read back', () => {
  expect(durationSeconds('1h1m1.5s')).toBe(3661.5);
  expect(durationSeconds('250ms')).toBe(0.25);
  expect(durationSeconds(undefined)).toBe(0);
});
