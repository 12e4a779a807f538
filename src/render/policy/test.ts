import { sanitize } from '../text/sanitize.ts';
import { xml } from './findings.ts';

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

/** The results as JUnit XML. */
export function renderTestsJunit(results: readonly TestView[], suite: string): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const lines = results.map(({ name, location, passed, expected, got, reason }) => {
    const open = `  <testcase classname="${xml(suite)}" name="${xml(name)}"`;
    if (passed) return `${open}/>`;
    const message = `expected ${expected}, got ${got}`;
    return `${open}>\n    <failure message="${xml(message)}">${xml(`${location}: ${message}\n${reason}`)}</failure>\n  </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="cilium policy test" tests="${results.length}" failures="${failed}">`,
    ...lines,
    '</testsuite>',
    '',
  ].join('\n');
}
