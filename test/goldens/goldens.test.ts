import { describe, expect, test } from '@jest/globals';
import { SUITES } from './index.ts';
import { firstDifference, wholeDifference } from './suite.ts';

describe.each(SUITES.map((suite) => [suite.file, suite] as const))('%s', (_, suite) => {
  const skipped = suite.skip?.();
  const title = 'every case matches, but for the listed exceptions';
  (skipped === undefined ? test : test.skip)(skipped ? `${title} (skipped: ${skipped})` : title, async () => {
    const failed: string[] = [];
    const stale: string[] = [];
    for await (const result of suite.run()) {
      const excused = suite.exceptions?.[result.name] !== undefined;
      if (!result.matched && !excused) failed.push(`${result.name}: ${firstDifference(result)}`);
      if (result.matched && excused) stale.push(result.name);
    }
    expect({ failed, stale }).toEqual({ failed: [], stale: [] });
  });
});

test('a case is found by its name, and its difference is told in full', async () => {
  const agent = SUITES.find(({ file }) => file === 'agent-1.10.json');
  const name = 'endpoint get 2574 -o jsonpath={[0].status.policy.realized.l4}';
  expect(agent?.names()).toContain(name);
  const [result] = agent ? await Array.fromAsync(agent.run(name)) : [];
  if (!result) throw new Error('nothing was replayed');
  expect(result).toMatchObject({ name, matched: false, want: { code: 0 } });
  expect(wholeDifference(result)).toMatch(/^- .*$\n(.*\n)*^\+ /m);
  const same = { ...result, got: { ...result.got, ...result.want } };
  expect(wholeDifference(same)).toBe('');
  expect(wholeDifference({ ...same, got: { ...same.got, code: 3, stderr: 'no' } })).toBe(
    'exit code: recorded 0, ours 3\n  ours says: no',
  );
});
