import type { Answer } from '../../agent/decode/answer.ts';
import { fetchHealthDetails, knownOf } from '../../cli/kube/agent-health.ts';
import { writeAnswer, writeStructured } from '../../cli/output.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfProblems } from '../../cluster/as-checks.ts';
import { findProblems } from '../../cluster/find-problems.ts';
import type { Context } from '../../context.ts';
import {
  type FaultLevel,
  PROBLEM_LEVELS,
  type Problem,
  type ProblemLevel,
  worstOf,
} from '../../model/problem.ts';
import { isReportFormat } from '../../model/report-format.ts';
import { type AgentStatus, isUp } from '../../model/status.ts';
import { problemsModel, renderProblems } from '../../render/agent/status/problems.ts';
import { renderBriefStatus } from '../../render/agent/status/sections.ts';
import { paletteFor } from '../../render/text/palette.ts';
import type { StatusOptions } from './options.ts';
import { printStatus } from './text.ts';

/** What --fail-on ends with. 1 stays for a status that could not be had. */
const EXIT_CODES: Readonly<Record<ProblemLevel, number>> = { warning: 2, degraded: 3, unknown: 3 };

/** Prints the status, or only its problems; with --fail-on the worst of them decides the exit code alone. */
export async function judgeStatus(
  answer: Answer<AgentStatus>,
  options: StatusOptions,
  ctx: Context,
): Promise<void> {
  const status = answer.decode();
  const details = options.brief ? undefined : await fetchHealthDetails(status, options.timeout, ctx);
  const known = details && (await knownOf(status, details, options.timeout, ctx));
  const problems = findProblems(status, known);
  // A report is always one of problems.
  const isReport = isReportFormat(options.output);
  if (!isUp(status) && (!options.output || isReport)) ctx.exitCode = 1;
  if ((options.problems || isReport) && worstOf(problems) === 'unknown') ctx.exitCode = 1;
  if (options.failOn) ctx.exitCode = exitCode(problems, options.failOn);
  if (isReportFormat(options.output))
    return writeReport(ctx, options.output, reportOfProblems(problems, options.failOn));
  if (options.problems) return printProblems(problems, options, ctx);
  if (options.output) return writeAnswer(ctx, options.output, answer);
  if (options.brief) return ctx.out.write(renderBriefStatus(status));
  await printStatus(status, isUp(status) ? details : undefined, options, ctx);
}

function exitCode(problems: readonly Problem[], failOn: FaultLevel): number {
  const worst = worstOf(problems);
  if (!worst || PROBLEM_LEVELS.indexOf(worst) < PROBLEM_LEVELS.indexOf(failOn)) return 0;
  return EXIT_CODES[worst];
}

async function printProblems(
  problems: readonly Problem[],
  options: StatusOptions,
  ctx: Context,
): Promise<void> {
  if (options.output) return writeStructured(ctx, options.output, problemsModel(problems));
  if (options.brief)
    await ctx.err.write('Note: --brief asks only how Cilium itself is; the rest is not known.\n');
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  await ctx.out.write(renderProblems(problems, palette));
}
