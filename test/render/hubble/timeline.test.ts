import { describe, expect, test } from '@jest/globals';
import {
  type Bar,
  barLength,
  barsOf,
  clockText,
  renderTimeline,
} from '../../../src/render/hubble/timeline.ts';

const START = Date.parse('2026-01-01T08:00:00Z');
const bars = (flows: number[], dropped: number[] = [], barMs = 1000): Bar[] =>
  flows.map((count, i) => ({
    fromMs: START + i * barMs,
    toMs: START + (i + 1) * barMs,
    flows: count,
    dropped: dropped[i] ?? 0,
  }));
const picture = (...given: Parameters<typeof renderTimeline>) =>
  renderTimeline(...given).map((spans) => spans.map(({ text }) => text).join(''));

describe('bars', () => {
  test('are the pieces of time where there is room', () => {
    expect(barsOf({ first: 100, widthMs: 500, flows: [1, 0, 4], dropped: [0, 0, 2] }, 60)).toEqual([
      { fromMs: 50_000, toMs: 50_500, flows: 1, dropped: 0 },
      { fromMs: 50_500, toMs: 51_000, flows: 0, dropped: 0 },
      { fromMs: 51_000, toMs: 51_500, flows: 4, dropped: 2 },
    ]);
  });

  test('hold several pieces where there is less, and none of it is lost', () => {
    const flows = Array.from({ length: 119 }, (_, i) => i);
    for (const columns of [1, 7, 40, 58, 60, 118, 119, 200]) {
      const made = barsOf({ first: 13, widthMs: 100, flows, dropped: flows }, columns);
      expect(made.length).toBeLessThanOrEqual(columns);
      expect(made.reduce((sum, bar) => sum + bar.flows, 0)).toBe(119 * 59);
      expect(made.every((bar, i) => i === 0 || bar.fromMs === made[i - 1]?.toMs)).toBe(true);
    }
  });

  test('stay where they are when the timeline grows', () => {
    const of = (pieces: number) =>
      barsOf({ first: 5, widthMs: 100, flows: Array(pieces).fill(1), dropped: Array(pieces).fill(0) }, 20);
    const [short, long] = [of(30), of(31)];
    expect(long.slice(0, 15)).toEqual(short.slice(0, 15));
  });

  test('of no time are none', () => {
    expect(barsOf({ first: 0, widthMs: 100, flows: [], dropped: [] }, 80)).toEqual([]);
    expect(renderTimeline([], { columns: 80, height: 9, marked: undefined })).toEqual([]);
  });
});

describe('the picture', () => {
  test('has flows above the axis and drops of another look below it', () => {
    expect(
      picture(bars([8, 4, 1, 0, 8], [0, 3, 1, 0, 0]), { columns: 5, height: 9, marked: undefined }),
    ).toEqual(['█   █', '█   █', '█▄  █', '██  █', '██▅ █', '─────', ' ▓▒  ', ' ▓   ', '08:00:00']);
  });

  test('marks bars of the axis', () => {
    const spans = renderTimeline(bars([1, 1, 1, 1]), { columns: 8, height: 3, marked: [1, 2] });
    expect(spans.at(-1)).toEqual([
      { of: 'axis', text: '──' },
      { of: 'window', text: '━━━━' },
      { of: 'axis', text: '──' },
    ]);
  });

  test.each([3, 4, 5, 8, 30])(
    'takes no more than %d lines, and shows one drop among very many flows',
    (height) => {
      const lines = renderTimeline(bars([100_000, 1], [1, 0]), { columns: 10, height, marked: undefined });
      expect(lines.length).toBe(height);
      expect(lines.some(([first]) => first?.of === 'drops' && /[░▒▓]/.test(first.text))).toBe(true);
      // One flow beside very many is still a bar.
      const floor = lines.findLast(([first]) => first?.of === 'flows');
      expect(floor?.[0]?.text).toMatch(/^█████?▁▁/);
    },
  );

  test('has times as far as there is room for them', () => {
    const labels = picture(bars(Array(60).fill(1)), { columns: 60, height: 9, marked: undefined }).at(-1);
    expect(labels).toBe('08:00:00         08:00:17         08:00:34         08:00:51');
  });
});

test('times are as exact as the bars are long, and have a day where there are several', () => {
  expect(clockText(START, bars([1, 1], [], 200))).toBe('08:00:00.0');
  expect(clockText(START, bars([1, 1], [], 60_000))).toBe('08:00:00');
  expect(clockText(START, bars([1, 1], [], 86_400_000))).toBe('01-01 08:00:00');
  // The end of a bar may lie behind the last time that there is.
  expect(clockText(8.64e15 + 100, bars([1, 1], [], 60_000))).toBe(
    clockText(8.64e15, bars([1, 1], [], 60_000)),
  );
  expect([200, 3200, 90_000, 7_200_000].map((ms) => barLength(bars([1], [], ms)))).toEqual([
    '0.2 s',
    '3.2 s',
    '1.5 min',
    '2 h',
  ]);
});
