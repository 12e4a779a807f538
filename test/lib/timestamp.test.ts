import { describe, expect, test } from '@jest/globals';
import {
  compareTimestamps,
  formatTimestamp,
  inRange,
  parseTimestamp,
  secondsOf,
} from '../../src/lib/timestamp.ts';
import fc from '../helpers/properties.ts';

/** 2026-11-28T12:00:00Z. */
const NOON = 1_795_867_200;

describe('a time in RFC 3339 is read', () => {
  test.each([
    ['2026-11-28T12:00:00Z', NOON, 0],
    ['2026-11-28T12:00:00.5Z', NOON, 500_000_000],
    ['2026-11-28T12:00:00.123456789Z', NOON, 123_456_789],
    ['2026-11-28T12:00:00.1234567899Z', NOON, 123_456_789],
    ['2026-11-28T14:30:00+02:30', NOON, 0],
    ['2026-11-28T09:30:00-02:30', NOON, 0],
    ['2026-11-29T11:59:00+23:59', NOON, 0],
    ['2026-11-27T12:01:00-23:59', NOON, 0],
    ['2026-11-29T12:00:00+24:00', NOON, 0],
    ['2026-11-28T13:00:00+00:60', NOON, 0],
    ['2026-11-28T12:00:00,5Z', NOON, 500_000_000],
    ['2026-11-28T9:30:00-02:30', NOON, 0],
    ['1970-01-01T00:00:00Z', 0, 0],
    ['2024-02-29T23:59:59Z', 1_709_251_199, 0],
    ['0001-01-01T00:00:00Z', -62_135_596_800, 0],
    ['9999-12-31T23:59:59.999999999Z', 253_402_300_799, 999_999_999],
  ])('%s', (text, seconds, nanos) => expect(parseTimestamp(text)).toEqual({ seconds, nanos }));
});

describe('a time is refused', () => {
  test.each([
    ['without an offset', '2026-11-28T12:00:00'],
    ['with an offset of 25 hours', '2026-11-28T12:00:00+25:00'],
    ['with an offset of 61 minutes', '2026-11-28T12:00:00+00:61'],
    ['at hour 24', '2026-11-28T24:00:00Z'],
    ['at minute 60', '2026-11-28T12:60:00Z'],
    ['at second 60', '2026-11-28T12:00:60Z'],
    ['on a day that the month lacks', '2026-02-29T12:00:00Z'],
    ['on day 0', '2026-11-00T12:00:00Z'],
    ['in month 13', '2026-13-01T12:00:00Z'],
    ['with text behind it', '2026-11-28T12:00:00Z '],
    ['before year 1', '0000-12-31T23:59:59Z'],
    ['before year 1 by its offset', '0001-01-01T00:00:00+00:01'],
    ['after year 9999 by its offset', '9999-12-31T23:59:59-00:01'],
  ])('%s', (_, text) => expect(parseTimestamp(text)).toBeUndefined());
});

test('every time comes back from its text', () => {
  const times = fc.record({
    seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
    nanos: fc.oneof(fc.constantFrom(0, 1000, 1_000_000, 10, 999_999_999), fc.nat(999_999_999)),
  });
  fc.assert(fc.property(times, (time) => expect(parseTimestamp(formatTimestamp(time))).toEqual(time)));
});

test.each([
  [0, 'Z'],
  [120_000_000, '.120Z'],
  [1000, '.000001Z'],
  [123_456_000, '.123456Z'],
  [1, '.000000001Z'],
])('%d nanoseconds are written with no, 3, 6 or 9 digits', (nanos, end) =>
  expect(formatTimestamp({ seconds: NOON, nanos })).toBe(`2026-11-28T12:00:00${end}`),
);

test.each([
  [{ seconds: -62_135_596_801, nanos: 0 }, false],
  [{ seconds: -62_135_596_800, nanos: 0 }, true],
  [{ seconds: 253_402_300_799, nanos: 999_999_999 }, true],
  [{ seconds: 253_402_300_800, nanos: 0 }, false],
  [{ seconds: 0, nanos: -1 }, false],
  [{ seconds: 0, nanos: 1_000_000_000 }, false],
])('protobuf holds the years 1 to 9999: %j %s', (time, held) =>
  expect(inRange(time)).toEqual(held ? time : undefined),
);

test('a year below 100 is that year', () => expect(secondsOf(50, 1, 1, 0, 0, 0)).toBe(-60_589_296_000));

test('times compare by seconds, then by nanoseconds', () => {
  expect(compareTimestamps({ seconds: 1, nanos: 9 }, { seconds: 2, nanos: 0 })).toBeLessThan(0);
  expect(compareTimestamps({ seconds: 2, nanos: 1 }, { seconds: 2, nanos: 0 })).toBeGreaterThan(0);
  expect(compareTimestamps({ seconds: 2, nanos: 1 }, { seconds: 2, nanos: 1 })).toBe(0);
});
