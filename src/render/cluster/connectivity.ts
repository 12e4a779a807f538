import {
  type ActionResult,
  countsOf,
  type RunResult,
  suspectsOf,
  type TestResult,
} from '../../cluster/connectivity/results.ts';
import { AREAS, ruleText, type SeenFlow } from '../../cluster/connectivity/suspect.ts';

/** Of a path no more flows than these are shown. */
const MAX_FLOWS = 10;

/** A line for each failed action, with all that is known of why. */
function failedLines({ name, path, failure, suspect, evidence }: ActionResult): string[] {
  const what = path === '' ? name : `${name}: ${path}`;
  const lines = [failure === undefined ? `  ❌ ${what}` : `  🟥 ${what}: ${failure}`];
  if (evidence) {
    lines.push(...flowLines(evidence.flows));
    if (evidence.decided && !suspect?.because.includes(ruleText(evidence.decided, 'ingress')))
      for (const side of ['egress', 'ingress'] as const)
        lines.push(`     rules: ${ruleText(evidence.decided, side)}`);
    if (evidence.decidedTrouble !== undefined)
      lines.push(`     the cluster's rules were not asked: ${evidence.decidedTrouble}`);
  }
  if (suspect) {
    lines.push(`     ${suspect.sentence}`);
    for (const because of suspect.because) lines.push(`       - ${because}`);
  }
  return lines;
}

/** A line for flows that differ in nothing but their time. */
function flowLines(flows: readonly SeenFlow[]): string[] {
  const kinds = new Map<string, { flow: SeenFlow; count: number }>();
  for (const flow of flows) {
    const key = flowText({ ...flow, time: '' });
    const kind = kinds.get(key);
    if (kind) kind.count++;
    else kinds.set(key, { flow, count: 1 });
  }
  const shown = [...kinds.values()].slice(0, MAX_FLOWS);
  const rest = flows.length - shown.reduce((sum, { count }) => sum + count, 0);
  return [
    ...shown.map(({ flow, count }) => `     flow: ${flowText(flow)}${count > 1 ? ` (${count} times)` : ''}`),
    ...(rest > 0 ? [`     (and ${rest} more flows)`] : []),
  ];
}

export function flowText({ time, node, from, to, port, verdict, dropReason, direction }: SeenFlow): string {
  return [time, `${node}:`, `${from} -> ${to}`, port, verdict, dropReason && `(${dropReason})`, direction]
    .filter((part) => part !== '')
    .join(' ');
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
    ...test.actions.map(({ name, path }) => `  [.] Action [${path === '' ? name : `${name}: ${path}`}]`),
    ...test.left.map(({ name, reason }) => `  [-] Skipping Scenario [${test.name}/${name}] (${reason})`),
  ]);
}
