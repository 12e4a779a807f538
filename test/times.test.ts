import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const numberOf = (text = '') => Number(text.replaceAll('_', ''));
const LIMIT_MS = numberOf(/testTimeout: ([\d_]+)/.exec(readFileSync('jest.config.js', 'utf8'))?.[1]);

/** Of all tests: the lines that look like this, with a number of milliseconds that is less than it may be. */
function tooShort(pattern: RegExp, leastMs: number): string[] {
  return globSync(['test/**/*.ts', 'test/**/*.tsx', 'e2e/**/*.ts']).flatMap((file) =>
    Array.from(readFileSync(file, 'utf8').matchAll(pattern), ([line, one, other]) => ({
      line,
      number: numberOf(one ?? other),
    }))
      .filter(({ number }) => number < leastMs)
      .map(({ line }) => `${file}: ${line.trim()}`),
  );
}

// A machine that is busy is three times slower than one that is not, and starts a program in seconds.
test('no test or hook has a limit of its own below that of all of them', () => {
  expect(tooShort(/^ *\}, ([\d_]{4,})\);$|^ *\},\n *([\d_]{4,}),\n *\);$/gm, LIMIT_MS)).toEqual([]);
});

test('no test is held to a time below ten seconds', () => {
  const time = /(?:performance|Date)\.now\(\)[^\n]*\)\.toBeLessThan(?:OrEqual)?\(([\d_]+)\)/g;
  expect(tooShort(time, 10_000).filter((line) => !line.includes('/ 1000'))).toEqual([]);
});
