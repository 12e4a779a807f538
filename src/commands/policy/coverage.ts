import { type Command, Option } from 'commander';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { htmlOption, openPage } from '../../cli/page.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { DIRECTIONS } from '../../policy/evaluate/maps/compile-rule.ts';
import { reportOfCoverage } from '../../policy/reports/as-checks.ts';
import { coverage } from '../../policy/reports/coverage.ts';
import { renderCoverage } from '../../render/policy/coverage.ts';
import { coverageDocument } from '../../render/policy/coverage-page.ts';
import { VERSION } from '../../version.ts';

interface CoverageOptions extends StateFlags {
  rules: string[];
  require?: 'ingress' | 'egress' | 'both';
  output: string;
  html?: string;
}

/** Declares `policy coverage`. */
export function addPolicyCoverageCommand(command: Command, ctx: Context): void {
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(
      new Option(
        '--require <direction>',
        'Fail where a pod is not protected, or it is not known: ingress, egress or both',
      ).choices(['ingress', 'egress', 'both']),
    )
    .addOption(outputOption(...REPORT_FORMATS))
    .addOption(htmlOption('the coverage'))
    .addHelpText(
      'after',
      examples(
        'cilium policy coverage --state cluster',
        'cilium policy coverage --state cluster --require ingress',
        'cilium policy coverage --rules policies/ --state state.json',
        'cilium policy coverage --rules policies/ --state state.json --html coverage.html',
      ),
    )
    .action((options: CoverageOptions) => runPolicyCoverage(options, ctx));
}

/** Prints which pods accept or make only the connections that rules allow. */
export async function runPolicyCoverage(options: CoverageOptions, ctx: Context): Promise<void> {
  const page = options.html === undefined ? undefined : await openPage(options.html, ctx);
  const from = options.state ?? usualState(ctx);
  const { engine, state } = await loadEngine(ctx, { ...options, state: from });
  const pods = coverage(engine, state);
  if (pods.length === 0)
    throw new UserError(`${from} names no pods`, {
      hint: 'A state document names them: {"endpoints": [{"id": 7, "identity": 1, "pod": "shop/web"}]}.',
    });
  const { output } = options;
  if (isReportFormat(output)) await writeReport(ctx, output, reportOfCoverage(pods, options.require));
  else if (output) await writeStructured(ctx, output, pods);
  else await ctx.out.write(renderCoverage(pods, ctx.out.columns));
  await page?.writeDocument(
    coverageDocument(pods, {
      from: sourcesOf(from, options.rules, ctx),
      made: new Date(ctx.clock.nowMs()).toISOString(),
      version: VERSION,
    }),
  );
  const { require: asked } = options;
  if (asked === undefined) return;
  const wanted = asked === 'both' ? DIRECTIONS : [asked];
  if (pods.some((pod) => wanted.some((direction) => pod[direction] !== 'enforced'))) ctx.exitCode = 1;
}

/** Where pods and rules come from, in words. */
function sourcesOf(from: string, rules: readonly string[], { globals }: Context): string {
  const named = from === 'agent' || from === 'cluster';
  const state = named ? (globals.archive?.label ?? `the ${from}`) : from;
  return rules.length > 0 ? `Pods of ${state}, rules of ${rules.join(', ')}.` : `Pods and rules of ${state}.`;
}
