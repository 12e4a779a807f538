import { type Finding, formatPosition, type Position } from './finding.ts';

export type Level = 'error' | 'warning' | 'note';

/** One thing that a check says. */
export interface Remark {
  level: Level;
  /** Short name of the rule: stable, for programs. */
  rule: string;
  message: string;
  /** What to do about it. */
  hint?: string | undefined;
  /** Evidence, a line each. */
  details?: readonly string[] | undefined;
  /** Where it is written, when it is about a file. */
  position?: Position | undefined;
}

/** How a check ended; `unknown` when it could not be made. */
export type CheckResult = 'passed' | 'failed' | 'unknown' | 'skipped';

/** One thing that was checked. What has not passed says why in its first remark. */
export interface Check {
  name: string;
  /** What it belongs to; the tool when absent. */
  group?: string;
  result: CheckResult;
  remarks: readonly Remark[];
  ms?: number;
}

/** What a verb checked, for every form of report. */
export interface Report {
  /** The command, such as `cilium policy validate`. */
  tool: string;
  checks: readonly Check[];
  /** Figures of the whole, a sentence each. */
  summary?: readonly string[];
  startedAt?: string;
  ms?: number;
}

/** A check for each file, which fails when the file has errors, or warnings where `failOn` says so. */
export function reportOfFindings(
  tool: string,
  files: readonly string[],
  findings: readonly Finding[],
  failOn: 'error' | 'warning' | 'never' = 'error',
): Report {
  // What was read from elsewhere than the files that were named has a check of its own.
  const names = new Set([...files, ...findings.map(({ position }) => position.file)]);
  const byFile = Map.groupBy(findings, ({ position }) => position.file);
  const isBad = ({ severity }: Finding) =>
    failOn !== 'never' && (severity === 'error' || failOn === 'warning');
  return {
    tool,
    checks: Array.from(names, (name): Check => {
      const own = byFile.get(name) ?? [];
      return {
        name,
        result: own.some(isBad) ? 'failed' : 'passed',
        // The reason for a failure stands first.
        remarks: own
          .map(remarkOf)
          .toSorted((a, b) => Number(a.level !== 'error') - Number(b.level !== 'error')),
      };
    }),
  };
}

function remarkOf({ severity, code, message, hint, position }: Finding): Remark {
  return { level: severity, rule: code, message, hint, position };
}

/** How many checks ended in each way. */
export function resultsOf({ checks }: Report): Record<CheckResult, number> {
  const counts = { passed: 0, failed: 0, unknown: 0, skipped: 0 };
  for (const { result } of checks) counts[result]++;
  return counts;
}

/** What is said of checks that were made, or tried: why one was skipped is no finding. */
export function remarksOf({ checks }: Report): { check: Check; remark: Remark }[] {
  return checks
    .filter(({ result }) => result !== 'skipped')
    .flatMap((check) => check.remarks.map((remark) => ({ check, remark })));
}

/** `3 checks, 1 failed`. */
export function countsText(report: Report): string {
  const { failed, unknown, skipped } = resultsOf(report);
  const all = report.checks.length;
  return [
    all === 1 ? '1 check' : `${all} checks`,
    `${failed} failed`,
    ...(unknown > 0 ? [`${unknown} could not be made`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** All that a remark says, a line each. */
export function remarkLines({ position, message, hint, details = [] }: Remark): string[] {
  const what = position ? `${formatPosition(position)}: ${message}` : message;
  return [what, ...(hint ? [hint] : []), ...details];
}

/** A name of a rule, of words: `Restart needed` becomes `restart-needed`. */
export function ruleId(...words: readonly string[]): string {
  return words
    .join(' ')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
