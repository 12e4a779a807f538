import { evidenceLines } from '../../cluster/connectivity/evidence-text.ts';
import {
  type ActionResult,
  countsOf,
  type RunResult,
  suspectsOf,
  type TestResult,
} from '../../cluster/connectivity/results.ts';
import { AREAS } from '../../cluster/connectivity/suspect.ts';
import type { Cell, Fact, Mark, PageDocument, Section } from '../../model/document.ts';

const STATES: Readonly<Record<TestResult['status'], { text: string; mark?: Mark }>> = {
  passed: { text: 'passed', mark: 'good' },
  failed: { text: 'failed', mark: 'bad' },
  skipped: { text: 'skipped' },
  'not-run': { text: 'not run', mark: 'unknown' },
};

/** What a run of connectivity tests found, as a page. */
export function connectivityDocument(
  run: RunResult,
  { made, version }: { made: string; version: string },
): PageDocument {
  const { tests, namespace, version: cilium, startedAt, ms } = run;
  return {
    title: 'Connectivity test',
    about: [
      `Namespace ${namespace}, Cilium ${cilium ?? 'of a version that is not known'}, begun ${startedAt}, ${seconds(ms)}.`,
    ],
    facts: factsOf(run),
    sections: [
      failures(tests),
      {
        title: 'Tests',
        heads: ['test', 'result', 'actions', 'time', 'why it was not run, and what was left out'],
        rows: tests.map(({ name, status, reason, actions, left, ms: took }) => [
          name,
          STATES[status],
          actions.length,
          seconds(took),
          { text: reason ?? '', more: left.map((each) => `${each.name}: ${each.reason}`) },
        ]),
        empty: 'There was none.',
      },
      {
        title: 'Odd, and no failure',
        heads: ['action', 'what'],
        rows: tests.flatMap(({ actions }) =>
          actions.flatMap(({ name, warnings }) => warnings.map((text) => [name, text])),
        ),
      },
    ],
    made,
    version,
  };
}

function factsOf(run: RunResult): Fact[] {
  const { run: total, failed, skipped, notRun, actions, failedActions } = countsOf(run);
  const found = suspectsOf(run);
  const suspects = AREAS.filter((area) => found.has(area)).map(
    (area) => `${area === 'unknown' ? 'not told' : area} (${found.get(area)})`,
  );
  return [
    {
      name: 'tests',
      text: failed > 0 ? `${failed} of ${total} failed` : total > 0 ? `all ${total} passed` : 'none was run',
      mark: failed > 0 ? 'bad' : total > 0 ? 'good' : 'unknown',
    },
    { name: 'actions', text: `${actions - failedActions} of ${actions} as expected` },
    ...(skipped > 0 ? [{ name: 'skipped', text: String(skipped) }] : []),
    ...(notRun > 0 ? [{ name: 'not run', text: String(notRun), mark: 'unknown' } as const] : []),
    ...(suspects.length > 0
      ? [{ name: 'suspects, what others rest on first', text: suspects.join(', ') }]
      : []),
  ];
}

/** Failed actions, each with all that is known of why. */
function failures(tests: readonly TestResult[]): Section {
  const bad = tests.filter(({ status }) => status === 'failed').flatMap(({ actions }) => actions);
  return {
    title: 'Failures',
    heads: ['action', 'from and to', 'what was expected', 'what happened', 'what it points to'],
    rows: bad.filter(({ ok }) => !ok).map(failureRow),
    empty: tests.some(({ status }) => status === 'passed') ? 'Nothing failed.' : 'No test was run.',
  };
}

function failureRow({ name, path, expected, failure, command, evidence, suspect }: ActionResult): Cell[] {
  const known = evidence ? evidenceLines(evidence, suspect) : [];
  const trouble = evidence?.flowsTrouble;
  return [
    { text: name, more: command === undefined ? [] : [command] },
    { text: path },
    { text: expected },
    {
      text: failure ?? 'it failed',
      mark: 'bad',
      more: [...known, ...(trouble === undefined ? [] : [`flows could not be read: ${trouble}`])],
    },
    suspect
      ? { text: suspect.sentence, more: suspect.because }
      : { text: 'nothing is known of why', mark: 'unknown' },
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
