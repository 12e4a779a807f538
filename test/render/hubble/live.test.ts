import { describe, expect, test } from '@jest/globals';
import {
  detailLines,
  holdsText,
  liveColumns,
  liveHeadings,
  liveLines,
  type Span,
  shareRoom,
  short,
  sparkline,
  visibleRange,
  wrapLines,
} from '../../../src/render/hubble/live.ts';

test('a sparkline is as high as its highest value', () => {
  expect(sparkline([0, 1, 2])).toBe('▁▅█');
  expect(sparkline([0, 0])).toBe('▁▁');
});

test('large numbers are cut short', () => {
  expect([999, 9999, 12_345, 999_949, 2_500_000].map(short)).toEqual([
    '999',
    '9999',
    '12.3k',
    '999.9k',
    '2.5M',
  ]);
});

test('details show every field with its path', () => {
  expect(detailLines({ a: { b: 1, c: ['x', 'y'] }, d: [{ e: true }] })).toEqual([
    'a.b: 1',
    'a.c: x, y',
    'd[0].e: true',
  ]);
});

const CELLS = [
  'Nov 22 08:00:00.500',
  'node-1',
  'default/frontend-7d9:43148',
  'kube-system/coredns-1:53',
  'policy-verdict:L3-L4 EGRESS',
  'FORWARDED',
  'TCP Flags: SYN',
];
const text = (lines: Span[][]) => lines.map((spans) => spans.map((span) => span.text).join(''));

describe('the columns of the live screen', () => {
  test.each([
    [60, ['TIME', 'SOURCE', 'DESTINATION', 'VERDICT']],
    [80, ['TIME', 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT']],
    [120, ['TIME', 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY']],
    [200, ['TIME', 'NODE', 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY']],
  ])('at %d are %j', (width, headings) => {
    const columns = liveColumns(width);
    expect(columns.map(({ heading }) => heading)).toEqual(headings);
    expect(liveHeadings(columns).length).toBeLessThanOrEqual(width);
    expect(liveHeadings(columns).length).toBeGreaterThan(width - 4);
  });

  test('cut a name before its port, a time before its clock', () => {
    const shown = { search: '', wrapped: false };
    expect(text(liveLines(CELLS, liveColumns(60), shown, 60))).toEqual([
      '08:00:00 default/fron…:43148 kube-system/cor…:53 FORWARDED ',
    ]);
    expect(text(liveLines(CELLS, liveColumns(200), shown, 200))[0]?.trimEnd()).toMatch(
      /^Nov 22 08:00:00.500 node-1 +default\/frontend-7d9:43148 +kube-system\/coredns-1:53 +policy-verdict:L3-L4 EGRESS +FORWARDED +TCP Flags: SYN$/,
    );
  });

  test('are left out when lines are wrapped: nothing is', () => {
    const lines = text(liveLines(CELLS, liveColumns(60), { search: '', wrapped: true }, 60));
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(lines.map((line, i) => (i === 0 ? line : line.slice(2))).join('')).toBe(CELLS.join(' '));
  });

  test('say what is found, and where the verdict is', () => {
    const [line = []] = liveLines(CELLS, liveColumns(120), { search: 'FORW', wrapped: false }, 120);
    expect(line.filter(({ found }) => found).map((span) => span.text)).toEqual(['FORW']);
    expect(
      line
        .filter(({ verdict }) => verdict)
        .map((span) => span.text)
        .join(''),
    ).toBe('FORWARDED');
    expect(holdsText(CELLS, 'l3-l4 egress')).toBe(true);
  });
});

test.each<[number, number, number | 'end', number[], [number, number]]>([
  [0, 5, 'end', [], [0, 0]],
  [50, 5, 'end', [], [45, 50]],
  [50, 5, 0, [], [0, 5]],
  [50, 5, 25, [], [23, 28]],
  [50, 5, 49, [], [45, 50]],
  [5, 5, 2, [1, 1, 9, 1, 1], [2, 3]],
  [5, 6, 'end', [2, 2, 2, 2, 2], [2, 5]],
])('of %d items %d lines show those around %s', (count, height, at, lines, range) => {
  expect(visibleRange(count, height, at, (i) => lines[i] ?? 1)).toEqual(range);
});

test('long lines are wrapped, with what is wrapped set in', () => {
  expect(wrapLines(['abcdefgh', '', 'xy'], 4)).toEqual(['abcd', '  ef', '  gh', '', 'xy']);
  expect(wrapLines(['one two three', 'a bcdefghijk'], 8)).toEqual([
    'one two',
    '  three',
    'a bcdefg',
    '  hijk',
  ]);
});

test.each<[number[], number, number[]]>([
  [[10, 10], 8, [4, 4]],
  [[10, 1, 10], 8, [4, 1, 3]],
  [[2, 3], 20, [2, 3]],
  [[5, 0, 5], 1, [1, 0, 0]],
  [[], 3, []],
])('of %j parts share %d lines: %j', (wanted, room, got) => {
  expect(shareRoom(wanted, room)).toEqual(got);
});
