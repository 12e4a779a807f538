import { loadCatalogue } from '../../cluster/connectivity/catalogue.ts';
import { MINIMAL } from '../../cluster/connectivity/minimal.ts';
import type { ActionResult, RunResult, TestResult } from '../../cluster/connectivity/results.ts';
import {
  AGENT_SCENARIOS,
  planRow,
  type RowPlan,
  withRangeRows,
} from '../../cluster/connectivity/runnable.ts';
import { selectionOf } from '../../cluster/connectivity/selection.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { compileRegexes } from '../../hubble/filter/patterns.ts';
import { skippedLine, testLine, verboseLines } from '../../render/cluster/connectivity.ts';
import { type AgentsAsked, checkHealth } from './agent-checks.ts';
import { runMinimal, unmetCheck } from './minimal-checks.ts';
import type { ConnectivityTestOptions } from './options.ts';
import type { Session } from './session.ts';
import { TestRun } from './test-run.ts';

type Say = (text: string) => Promise<void>;

/** A test that is to be made, or why it is not. */
interface Planned {
  name: string;
  skip?: string | undefined;
  notRun?: string | undefined;
  work: (run: TestRun) => Promise<void>;
}

const SET_MS = 120_000;
const BY_USER = 'skipped by user';

/** Makes the tests one after the other. */
export async function runTests(
  session: Session,
  options: ConnectivityTestOptions,
  say: Say,
  ctx: Context,
): Promise<RunResult> {
  const { namespace } = session;
  const planned = options.all
    ? await planCatalogue(session, options, ctx)
    : await planSet(session, options, ctx);
  const startedAt = new Date(ctx.clock.nowMs()).toISOString();
  const begin = performance.now();
  const limitMs = options.timeLimit ?? (options.all ? undefined : SET_MS);
  const tests: TestResult[] = [];
  if (session.version !== undefined) await say(`ℹ️  Cilium version: ${session.version}\n`);
  await say(`🏃[${namespace}] Running ${planned.length} tests ...\n`);
  for (const [at, test] of planned.entries()) {
    const isLate = limitMs !== undefined && performance.now() - begin > limitMs;
    const notRun =
      test.notRun ??
      (isLate && test.skip === undefined
        ? `the time limit of ${(limitMs ?? 0) / 1000} s was reached`
        : undefined);
    const nothing = { name: test.name, actions: [], left: [], ms: 0 };
    if (notRun !== undefined) tests.push({ ...nothing, status: 'not-run', reason: notRun });
    else if (test.skip !== undefined) {
      await say(skippedLine(namespace, test.name, at + 1, planned.length, test.skip));
      tests.push({ ...nothing, status: 'skipped', reason: test.skip });
    } else {
      await say(testLine(namespace, test.name, at + 1, planned.length));
      tests.push(await runOne(test, session, options, say, ctx));
    }
  }
  const ms = Math.round(performance.now() - begin);
  return { namespace, version: session.version, startedAt, ms, tests };
}

async function runOne(
  test: Planned,
  session: Session,
  { verbose }: ConnectivityTestOptions,
  say: Say,
  ctx: Context,
): Promise<TestResult> {
  const tell = async (result: ActionResult) => {
    if (!verbose) return say('.');
    const { name, path, ok, warnings } = result;
    await say(`  [.] Action [${path === '' ? name : `${name}: ${path}`}]${ok ? '' : ' ❌'}\n`);
    for (const warning of warnings) await say(`  ⚠️  ${warning}\n`);
  };
  const run = new TestRun(test.name, session.runner, ctx, tell);
  await test.work(run);
  const { result } = run;
  if (!verbose && result.actions.length > 0) await say('\n');
  if (!verbose && result.status === 'failed') await say(verboseLines(result));
  return result;
}

/** Refuses a selection of tests that there are none of, before anything is deployed. */
export async function refuseNoTest(options: ConnectivityTestOptions): Promise<void> {
  const selection = await selectionFor(options);
  const isAny = options.all
    ? withRangeRows(await loadCatalogue()).some((row) => selection.test(row.name, row.scenarios))
    : MINIMAL.some(({ id }) => selection.test(id, []));
  if (isAny) return;
  throw new UserError(`--test ${options.test.join(',')}: there is no such test`, {
    hint: options.all
      ? 'Each term is a regular expression on TEST or TEST/SCENARIO.'
      : `There are ${MINIMAL.map(({ id }) => id).join(', ')}; with --all those of the catalogue.`,
  });
}

async function selectionFor({ test }: ConnectivityTestOptions) {
  const compiled = new Map<string, (text: string) => boolean>();
  for (const term of test) {
    const pattern = term.replace(/^!/, '');
    compiled.set(pattern, await compileRegexes([pattern], '--test'));
  }
  return selectionOf(test, (pattern) => compiled.get(pattern) ?? (() => false));
}

async function planSet(session: Session, options: ConnectivityTestOptions, ctx: Context): Promise<Planned[]> {
  const selection = await selectionFor(options);
  const { features, nodeCount: nodes, runner } = session;
  const external = options.externalTarget;
  const asked = askedOf(session, ctx);
  return MINIMAL.map((check) => ({
    name: check.id,
    skip: selection.test(check.id, []) ? unmetCheck(check, { features, nodes, external }) : BY_USER,
    work: (run: TestRun) => runMinimal(check, runner, asked, run),
  }));
}

async function planCatalogue(
  session: Session,
  options: ConnectivityTestOptions,
  ctx: Context,
): Promise<Planned[]> {
  const selection = await selectionFor(options);
  const { features, version, runner } = session;
  const { actions, policies, filling } = runner.parts;
  const asked = askedOf(session, ctx);
  return withRangeRows(await loadCatalogue()).map((row): Planned => {
    const isWanted = selection.test(row.name, row.scenarios);
    const plan = planRow(row, {
      actions,
      features,
      version,
      policies,
      filling,
      isWanted: (scenario) => selection.scenario(row.name, scenario),
    });
    return {
      name: row.name,
      ...(isWanted ? reasonOf(plan) : { skip: BY_USER }),
      work: (run) => (plan.kind === 'run' ? runRow(plan, asked, run) : Promise.resolve()),
    };
  });
}

function askedOf(session: Session, ctx: Context): AgentsAsked {
  return { client: session.client, agents: session.agents, ctx };
}

function reasonOf(plan: RowPlan): Pick<Planned, 'skip' | 'notRun'> {
  if (plan.kind === 'skip') return { skip: plan.reason };
  return plan.kind === 'not-run' ? { notRun: plan.reason } : {};
}

async function runRow(
  { policies, scenarios, left }: Extract<RowPlan, { kind: 'run' }>,
  asked: AgentsAsked,
  run: TestRun,
): Promise<void> {
  for (const { name, reason } of left) run.leave(name, reason);
  await run.withPolicies(policies, async () => {
    for (const { name, actions } of scenarios)
      if (AGENT_SCENARIOS.has(name)) await run.add(await checkHealth(asked, `${run.name}/${name}`));
      else await run.act(actions, policies, name);
  });
}
