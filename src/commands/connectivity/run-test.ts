import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { mayWrite } from '../../cli/confirm.ts';
import { writeStructured } from '../../cli/output.ts';
import { openPage, type PageFile } from '../../cli/page.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfRun } from '../../cluster/connectivity/as-checks.ts';
import { countsOf, type RunResult } from '../../cluster/connectivity/results.ts';
import type { Context } from '../../context.ts';
import { systemReason, UsageError, UserError } from '../../errors.ts';
import { openCluster } from '../../kube/road.ts';
import { isReportFormat } from '../../model/report-format.ts';
import { renderReport } from '../../render/cluster/connectivity.ts';
import { connectivityDocument } from '../../render/cluster/connectivity-page.ts';
import { renderJunit } from '../../render/reports/junit.ts';
import { VERSION } from '../../version.ts';
import { clusterName, listTestNamespaces, removeNamespace } from './namespace.ts';
import type { ConnectivityTestOptions } from './options.ts';
import { Session } from './session.ts';
import { takeAway } from './take-away.ts';
import { refuseNoTest, runTests } from './tests.ts';

const PART_MISSING = 3;

type Say = (text: string) => Promise<void>;

/** Deploys, tests, reports and takes everything away again. */
export async function runConnectivityTest(options: ConnectivityTestOptions, ctx: Context): Promise<void> {
  const say = sayer(options, ctx);
  const page = await pageOf(options, ctx);
  if (options.cleanup) return cleanUp(options, say, ctx);
  const properties = propertiesOf(options.junitProperty);
  const namespace = `${options.testNamespace}-1`;
  await refuseNoTest(options);
  await using client = await openCluster(ctx);
  const session = await Session.open(client, namespace, options, ctx);
  if (options.dryRun) {
    await ctx.out.write(await session.plan());
    return;
  }
  if (!(await mayWrite(ctx, `deploy test pods into the namespace ${namespace}`, options))) return;
  let run: RunResult;
  try {
    await session.deploy(say);
    run = await runTests(session, options, say, ctx);
    if (isReportFormat(options.output)) await writeReport(ctx, options.output, reportOfRun(run));
    else if (options.output === 'json') await writeStructured(ctx, 'json', { ...run, counts: countsOf(run) });
    else await say(renderReport(run));
    writeJunit(options, run, properties, ctx);
    await page?.writeDocument(
      connectivityDocument(run, { made: new Date(ctx.clock.nowMs()).toISOString(), version: VERSION }),
    );
  } catch (error) {
    if (ctx.signal.aborted) await say('Cancellation request received, cancelling tests...\n').catch(() => {});
    throw error;
  } finally {
    if (!options.keep && session.isOwner) await takeAway(namespace, say, ctx);
    else if (session.isOwner) await say(`The namespace ${namespace} stays; --cleanup removes it.\n`);
  }
  const { failed, run: total } = countsOf(run);
  if (failed > 0 && !options.exitZeroOnFailure) throw new UserError(`[${namespace}] ${failed} tests failed`);
  if (failed > 0) return;
  if (total === 0) throw new UserError(`[${namespace}] no test was run`);
  // Of the set each check counts; of the catalogue many cannot be run anywhere.
  if (!options.all && run.tests.some(({ status }) => status === 'not-run')) ctx.exitCode = PART_MISSING;
}

/** The page of the results, which only a run has. */
async function pageOf(
  { html, cleanup, dryRun }: ConnectivityTestOptions,
  ctx: Context,
): Promise<PageFile | undefined> {
  if (html === undefined) return undefined;
  const other = cleanup ? '--cleanup' : dryRun ? '--dry-run' : undefined;
  if (other) throw new UsageError(`--html shows results, and ${other} has none: leave out one of them`);
  return await openPage(html, ctx);
}

/** Writes what goes on; nothing where the output is data. */
function sayer({ output, timestamp }: ConnectivityTestOptions, ctx: Context): Say {
  if (output !== 'text') return async () => {};
  if (!timestamp) return (text) => ctx.out.write(text);
  return (text) => {
    const time = `[${new Date(ctx.clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z')}] `;
    return ctx.out.write(text.length > 1 ? text.replace(/^(?=.)/gm, time) : text);
  };
}

function propertiesOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UserError(`--junit-property ${text}: expected KEY=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function writeJunit(
  { junitFile, junit }: ConnectivityTestOptions,
  run: RunResult,
  properties: Readonly<Record<string, string>>,
  ctx: Context,
): void {
  const file = junitFile ?? junit;
  if (file === undefined) return;
  try {
    const extras = { suite: 'connectivity test', package: 'cilium', properties };
    writeFileSync(resolve(ctx.cwd, file), renderJunit(reportOfRun(run), extras));
  } catch (cause) {
    throw new UserError(`cannot write ${file}: ${systemReason(cause)}`, { cause });
  }
}

/** Removes all that tests have left. */
async function cleanUp(options: ConnectivityTestOptions, say: Say, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const found = await listTestNamespaces(client);
  const names = found.map(({ metadata }) => metadata?.name ?? '');
  if (names.length === 0) {
    await say('Nothing of the connectivity tests is there.\n');
    return;
  }
  if (!(await mayWrite(ctx, `remove the namespaces ${names.join(', ')}`, options))) return;
  await say('🧹 Cleanup mode enabled - removing all connectivity test artifacts\n');
  const cluster = clusterName(client);
  await say(`🧹 [${cluster}] Starting cleanup of connectivity test artifacts...\n`);
  for (const one of found) await removeNamespace(client, one, say);
  await say(`✅ [${cluster}] Cleanup complete\n✅ Cleanup complete\n`);
}
