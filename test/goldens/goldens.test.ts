import { describe, expect, test } from '@jest/globals';
import { SUITES } from './index.ts';

describe.each(SUITES.map((suite) => [suite.file, suite] as const))('%s', (_, suite) => {
  const skipped = suite.skip?.();
  const title = 'every case matches, but for the listed exceptions';
  (skipped === undefined ? test : test.skip)(
    skipped ? `${title} (skipped: ${skipped})` : title,
    async () => {
      const failed: string[] = [];
      const stale: string[] = [];
      for await (const result of suite.run()) {
        const excused = suite.exceptions?.[result.name] !== undefined;
        if (!result.matched && !excused) failed.push(`${result.name}: ${result.difference}`);
        if (result.matched && excused) stale.push(result.name);
      }
      expect({ failed, stale }).toEqual({ failed: [], stale: [] });
    },
    120_000,
  );
});
