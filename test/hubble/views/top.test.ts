import { describe, expect, test } from '@jest/globals';
import { TopCounter, topKeys } from '../../../src/hubble/views/top.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const FLOWS = fixtureText('recordings/flows-1.20.jsonl')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { flow: Flow }).flow)
  .filter((flow) => flow !== undefined);

describe('a ranking', () => {
  const keys = (...words: string[]) => topKeys(words);

  test('counts exactly while the keys fit', () => {
    const top = new TopCounter(keys('src.pod', 'verdict'));
    for (const flow of FLOWS) top.add(flow, 1000);
    const counts = new Map<string, number>();
    for (const flow of FLOWS) {
      const pod = flow.source?.pod_name ? `${flow.source.namespace}/${flow.source.pod_name}` : '-';
      const key = `${pod} ${flow.verdict}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(
      top
        .rows(1000)
        .map((row) => [row.values.join(' '), row.count])
        .sort(),
    ).toEqual([...counts].sort());
    expect(top.estimated).toBe(false);
  });

  test('keeps every heavy key within its bound when there are too many', () => {
    const capacity = 50;
    const top = new TopCounter(keys('uuid'), capacity);
    const flow = (uuid: string): Flow => ({ uuid });
    let total = 0;
    for (let i = 0; i < 20_000; i++) {
      top.add(flow(`rare-${i}`), i);
      total++;
      if (i % 4 === 0) {
        top.add(flow('heavy'), i);
        total++;
      }
    }
    const [first] = top.rows(1);
    expect(first?.values).toEqual(['heavy']);
    expect((first?.count ?? 0) - (first?.error ?? 0)).toBeLessThanOrEqual(5000);
    expect(first?.count).toBeGreaterThanOrEqual(5000);
    expect(first?.error).toBeLessThanOrEqual(total / capacity);
    expect(top.rows(1000).length).toBe(capacity);
    expect(top.estimated).toBe(true);
  });

  test('an unknown key is refused', () =>
    expect(() => topKeys(['verdict', 'nonsense'])).toThrow('--top: there is no key "nonsense"'));
});
