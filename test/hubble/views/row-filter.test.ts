import { expect, test } from '@jest/globals';
import { parseRecord } from '../../../src/hubble/captures/record-line.ts';
import { rowFilter } from '../../../src/hubble/views/row-filter.ts';
import { TopCounter, topKeys } from '../../../src/hubble/views/top.ts';
import { compileWhere } from '../../../src/hubble/where/evaluate.ts';
import { parseWhere } from '../../../src/hubble/where/parse.ts';
import { fixtureText } from '../../helpers/recordings.ts';

test('the filter of a row means its flows and no others', async () => {
  const flows = fixtureText('recordings/flows-1.20.jsonl')
    .trim()
    .split('\n')
    .flatMap((line) => parseRecord(line, { ignoreUnknown: true }).flow ?? []);
  for (const words of [
    ['src', 'dst', 'port'],
    ['reason', 'src', 'dst'],
  ]) {
    const counter = new TopCounter(topKeys(words));
    for (const flow of flows) counter.add(flow, 0);
    const rows = counter.rows(500);
    expect(rows.length).toBeGreaterThan(10);
    for (const { values, count } of rows) {
      const source = rowFilter(
        counter.keys.map(({ name }) => name),
        values,
      );
      const matches = await compileWhere(parseWhere(source), source);
      expect([source, flows.filter(matches).length]).toEqual([source, count]);
    }
  }
});

test('a value with quotes stays one value', () => {
  expect(rowFilter(['dst.host', 'dst.port'], ['a "b" \\c', '-'])).toBe(
    'dst.host = "a \\"b\\" \\\\c" and not dst.port',
  );
});
