// Runs the test files that failed in a run of jest once more, each by itself, and puts what they did then into its results:
// node scripts/jest-again.mjs RESULTS COMMAND…, which runs jest. A busy machine is no fault; what fails twice is one. Both
// runs are in the log.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const [results = '', program = '', ...words] = process.argv.slice(2);
/** Of files that failed; more than so many are no hiccup. */
const MOST = 8;

const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const countOf = ({ assertionResults }, ...status) =>
  assertionResults.filter((one) => status.includes(one.status)).length;

let whole;
try {
  whole = read(results);
} catch {
  console.log(`== no results in ${results}: the run did not come to its end`);
  process.exit(1);
}
const failed = whole.testResults.filter(({ status }) => status === 'failed');
if (failed.length === 0 || failed.length > MOST) process.exit(whole.success ? 0 : 1);
let isFine = true;
for (const before of failed) {
  console.log(`== once more, by itself: ${before.name}`);
  const out = `${results}.again`;
  const flags = ['--ci', '--forceExit', '--json', `--outputFile=${out}`, '--runTestsByPath', before.name];
  spawnSync(program, [...words, ...flags], { stdio: 'inherit' });
  let again;
  try {
    again = read(out);
  } catch {
    // It did not come to its end: what the first run found stays.
    isFine = false;
    continue;
  }
  rmSync(out, { force: true });
  const [after] = again.testResults;
  isFine &&= again.success && after !== undefined;
  if (after) whole.testResults[whole.testResults.indexOf(before)] = after;
  whole.numFailedTests += again.numFailedTests - countOf(before, 'failed');
  whole.numPassedTests += again.numPassedTests - countOf(before, 'passed');
  whole.numPendingTests += again.numPendingTests - countOf(before, 'pending');
  whole.numTodoTests += again.numTodoTests - countOf(before, 'todo');
  // A file that could not be run at all has no tests.
  whole.numRuntimeErrorTestSuites +=
    again.numRuntimeErrorTestSuites - (before.assertionResults.length === 0 ? 1 : 0);
}
writeFileSync(results, JSON.stringify({ ...whole, success: isFine }));
process.exit(isFine ? 0 : 1);
