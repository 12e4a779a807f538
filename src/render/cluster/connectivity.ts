import { evidenceLines } from '../../cluster/connectivity/evidence-text.ts';
import {
  type ActionResult,
  countsOf,
  type RunResult,
  suspectsOf,
  type TestResult,
} from '../../cluster/connectivity/results.ts';
import { AREAS } from '../../cluster/connectivity/suspect.ts';

/** A line for each failed action, with all that is known of why. */
function failedLines({ name, path, failure, suspect, evidence }: ActionResult): string[] {
  const what = path === '' ? name : `${name}: ${path}`;
  const lines = [failure === undefined ? `  ❌ ${what}` : `  🟥 ${what}: ${failure}`];
  if (evidence) lines.push(...evidenceLines(evidence, suspect).map((line) => `     ${line}`));
  if (suspect) {
    lines.push(`     ${suspect.sentence}`);
    for (const because of suspect.because) lines.push(`       - ${because}`);
  }
  return lines;
}

/** What a run found, as the reference words it, and what its failures point to. */
export function renderReport(run: RunResult): string {
  const { failed, run: total, actions, failedActions, skipped, leftScenarios, notRun } = countsOf(run);
  const { namespace } = run;
  const rest = `${skipped} tests skipped, ${leftScenarios} scenarios skipped`;
  const own = run.tests
    .filter(({ status }) => status === 'not-run')
    .map(({ name, reason }) => `  ${name}: ${reason}`);
  const notes = notRun === 0 ? [] : [`${notRun} tests were not run:`, ...own];
  if (failed === 0) {
    const verdict =
      total === 0
        ? `[${namespace}] No test was run, ${rest}.`
        : `✅ [${namespace}] All ${total} tests (${actions} actions) successful, ${rest}.`;
    return lines([...notes, '', verdict]);
  }
  const bad = run.tests.filter(({ status }) => status === 'failed');
  return lines([
    ...notes,
    '',
    `📋 Test Report [${namespace}]`,
    `❌ ${failed}/${total} tests failed (${failedActions}/${actions} actions), ${rest}:`,
    ...bad.flatMap((test) => [
      `Test [${test.name}]:`,
      ...test.actions.filter(({ ok }) => !ok).flatMap(failedLines),
    ]),
    ...suspectLines(run),
  ]);
}

function suspectLines(run: RunResult): string[] {
  const found = suspectsOf(run);
  if (found.size === 0) return [];
  const parts = AREAS.filter((area) => found.has(area)).map(
    (area) => `${area === 'unknown' ? 'not told' : area} (${found.get(area)})`,
  );
  return [`Suspects, what others rest on first: ${parts.join(', ')}`];
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}

/** Begin of a test. */
export function testLine(namespace: string, name: string, i: number, count: number): string {
  return `[=] [${namespace}] Test [${name}] [${i}/${count}]\n`;
}

export function skippedLine(
  namespace: string,
  name: string,
  i: number,
  count: number,
  reason: string,
): string {
  return `[=] [${namespace}] Skipping test [${name}] [${i}/${count}] (${reason})\n`;
}

/** What is said of a test that has failed, where its lines were not shown as they came. */
export function verboseLines(test: TestResult): string {
  return lines([
    ...test.actions.flatMap(({ name, path, ok, failure }) => [
      `  [.] Action [${path === '' ? name : `${name}: ${path}`}]`,
      ...(ok ? [] : [`  🟥 ${failure ?? 'failed'}`]),
    ]),
    ...test.left.map(({ name, reason }) => `  [-] Skipping Scenario [${test.name}/${name}] (${reason})`),
  ]);
}
