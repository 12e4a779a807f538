import type { Area, Evidence, Suspect } from './suspect.ts';

/** How one action went. */
export interface ActionResult {
  /** `test/scenario/action`. */
  name: string;
  /** `ns/src (ip) -> dst (ip:port)`; empty where nothing was sent. */
  path: string;
  command?: string;
  exitCode?: number | undefined;
  expected: string;
  ok: boolean;
  failure?: string;
  /** What is odd and is no failure. */
  warnings: readonly string[];
  evidence?: Evidence;
  suspect?: Suspect;
  ms: number;
}

/** How a test went. */
export interface TestResult {
  name: string;
  status: 'passed' | 'failed' | 'skipped' | 'not-run';
  /** Why it was skipped or not run. */
  reason?: string;
  actions: readonly ActionResult[];
  /** Scenarios that were left out, and why. */
  left: readonly { name: string; reason: string }[];
  ms: number;
}

/** A whole run. */
export interface RunResult {
  namespace: string;
  version?: string | undefined;
  startedAt: string;
  ms: number;
  tests: readonly TestResult[];
}

export interface Counts {
  run: number;
  failed: number;
  skipped: number;
  notRun: number;
  actions: number;
  failedActions: number;
  leftScenarios: number;
}

export function countsOf({ tests }: Pick<RunResult, 'tests'>): Counts {
  const ran = tests.filter(({ status }) => status === 'passed' || status === 'failed');
  const actions = ran.flatMap((test) => test.actions);
  return {
    run: ran.length,
    failed: ran.filter(({ status }) => status === 'failed').length,
    skipped: tests.filter(({ status }) => status === 'skipped').length,
    notRun: tests.filter(({ status }) => status === 'not-run').length,
    actions: actions.length,
    failedActions: actions.filter(({ ok }) => !ok).length,
    leftScenarios: tests.reduce((sum, { left }) => sum + left.length, 0),
  };
}

/** The areas that failures point to, each with how many of them. */
export function suspectsOf({ tests }: Pick<RunResult, 'tests'>): Map<Area, number> {
  const found = new Map<Area, number>();
  for (const { actions } of tests)
    for (const { suspect } of actions)
      if (suspect) found.set(suspect.area, (found.get(suspect.area) ?? 0) + 1);
  return found;
}
