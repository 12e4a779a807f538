import { sanitize } from '../text/sanitize.ts';

/** The result of one test. */
export interface TestView {
  name: string;
  location: string;
  passed: boolean;
  expected: string;
  got: string;
  reason: string;
}

/** One line per test, details of those that failed, and the totals. */
export function renderTests(results: readonly TestView[]): string {
  const lines = results.flatMap(({ name, location, passed, expected, got, reason }) =>
    passed
      ? [`ok      ${sanitize(name)}`]
      : [
          `FAILED  ${sanitize(name)}`,
          `        ${sanitize(location)}: expected ${expected}, got ${got}`,
          `        ${sanitize(reason)}`,
        ],
  );
  const failed = results.filter(({ passed }) => !passed).length;
  return `${lines.join('\n')}\n\n${results.length} tests, ${failed} failed\n`;
}
