import { expect, test } from '@jest/globals';
import type { Ranking } from '../../../src/model/ranking.ts';
import { renderTop, renderTopJson, topTable } from '../../../src/render/hubble/top.ts';

const FIRST = Date.parse('2026-11-22T08:00:00.5Z');
const row = (value: string, count: number, error = 0) => ({
  values: [value, '-'],
  count,
  error,
  firstMs: FIRST,
  lastMs: FIRST + 1000,
});
const ranking = (more: Partial<Ranking> = {}): Ranking => ({
  keys: ['src.host', 'verdict'],
  rows: [row('shop/cart', 6), row('a\u001b[2J', 2)],
  total: 8,
  folded: 0,
  overflow: undefined,
  ...more,
});

test('a ranking is a table of counts, shares and times', () => {
  expect(renderTop(ranking())).toBe(
    'SRC.HOST    VERDICT   FLOWS   SHARE   FIRST SEEN     LAST SEEN\n' +
      'shop/cart   -         6       75.0%   08:00:00.500   08:00:01.500\n' +
      'a^[[2J      -         2       25.0%   08:00:00.500   08:00:01.500\n' +
      '\n8 flows\n',
  );
});

test.each([
  [4, '1.5/s'],
  [0.2, '6.0/s'],
])('a ranking of %d live seconds has rates', (seconds, rate) => {
  const { headers, blocks } = topTable(ranking(), seconds);
  expect(headers[0]).toContain('\tRATE\t');
  expect(blocks[0]?.lines[0]).toContain(`\t${rate}\t`);
});

test('a ranking with more keys than it holds says how wrong it may be', () => {
  const text = renderTop(ranking({ rows: [row('x', 6, 4)], overflow: 10_000 }));
  expect(text).toMatch(/ 6 \(-4\) +75.0%/);
  expect(text).toContain(
    '8 flows; more than 10000 keys: counts are upper bounds, (-n) is how much lower they may be\n',
  );
});

test('a ranking of nothing is its header', () => {
  expect(renderTop(ranking({ rows: [], total: 0 }))).toMatch(/^SRC.HOST .*LAST SEEN\n\n0 flows\n$/);
});

test('a ranking as JSON names the keys and the error of counts', () => {
  const { rows, ...rest } = JSON.parse(renderTopJson(ranking({ rows: [row('x', 6, 4), row('y', 2)] })));
  expect(rest).toEqual({ total: 8, replies: 0, estimated: false });
  const times = { first_seen: '2026-11-22T08:00:00.500Z', last_seen: '2026-11-22T08:00:01.500Z' };
  expect(rows).toEqual([
    { 'src.host': 'x', verdict: '-', count: 6, count_error: 4, ...times },
    { 'src.host': 'y', verdict: '-', count: 2, ...times },
  ]);
  expect(JSON.parse(renderTopJson(ranking({ overflow: 2 })))).toMatchObject({ estimated: true });
});
