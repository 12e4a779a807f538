import { type Check, type CheckResult, type Remark, type Report, ruleId } from '../../model/report.ts';
import { evidenceLines } from './evidence-text.ts';
import type { ActionResult, RunResult, TestResult } from './results.ts';
import type { Evidence, Suspect } from './suspect.ts';

const RESULTS: Readonly<Record<TestResult['status'], CheckResult>> = {
  passed: 'passed',
  failed: 'failed',
  skipped: 'skipped',
  'not-run': 'skipped',
};

/** A check for each test, with what is known of the actions that failed. */
export function reportOfRun({ tests, startedAt, ms }: RunResult): Report {
  return { tool: 'cilium connectivity test', checks: tests.map(checkOf), startedAt, ms };
}

function checkOf({ name, status, reason = '', actions, ms }: TestResult): Check {
  const rule = ruleId(name);
  if (status === 'skipped' || status === 'not-run') {
    const message = status === 'not-run' ? `not run: ${reason}` : reason;
    return { name, result: RESULTS[status], ms, remarks: [{ level: 'note', rule, message }] };
  }
  const odd = actions.flatMap(({ name: action, warnings }) =>
    warnings.map((text): Remark => ({ level: 'warning', rule, message: `${action}: ${text}` })),
  );
  const bad = actions.filter(({ ok }) => !ok).map((action) => remarkOf(action, rule));
  const none: Remark[] =
    status === 'failed' && bad.length === 0 ? [{ level: 'error', rule, message: 'failed' }] : [];
  return { name, result: RESULTS[status], ms, remarks: [...bad, ...none, ...odd] };
}

function remarkOf({ name, path, failure, evidence, suspect }: ActionResult, rule: string): Remark {
  const what = path === '' ? name : `${name}: ${path}`;
  const details = [
    ...(evidence ? evidenceLines(evidence, suspect).map((line) => `  ${line}`) : []),
    ...(suspect ? [suspect.sentence, ...suspect.because.map((line) => `  ${line}`)] : []),
  ];
  return { level: 'error', rule, message: failure ? `${what}: ${failure}` : what, details };
}

/** What is known of a path between two ends. */
interface Path {
  from: { name: string };
  to: { name: string; address: string };
  evidence: Evidence;
  result: 'works' | 'fails' | 'unknown';
  notTried?: string;
  suspect?: Suspect;
}

const OF_PATH = { works: 'passed', fails: 'failed', unknown: 'unknown' } as const;

/** One check: that the connection works. A policy that denies it is a failure although nothing was tried. */
export function reportOfPath({ from, to, evidence, result, notTried, suspect }: Path): Report {
  const name = `${from.name} -> ${to.name} ${to.address}`;
  const isDenied = result === 'unknown' && evidence.decided?.verdict === 'denied';
  const outcome = isDenied ? 'failed' : OF_PATH[result];
  const why =
    result === 'fails'
      ? 'the connection does not work'
      : isDenied
        ? 'policies deny it'
        : 'whether it works is not known';
  const remark: Remark = {
    level: outcome === 'failed' ? 'error' : 'warning',
    rule: ruleId('path', outcome),
    message: `${name}: ${why}${notTried === undefined ? '' : ` (nothing was tried: ${notTried})`}`,
    details: [
      ...evidenceLines(evidence, suspect),
      ...(suspect ? [suspect.sentence, ...suspect.because] : []),
    ],
  };
  const remarks = outcome === 'passed' ? [] : [remark];
  return { tool: 'cilium connectivity check', checks: [{ name, result: outcome, remarks }] };
}
