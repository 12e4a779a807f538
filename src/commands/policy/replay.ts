import { type Command, Option } from 'commander';
import { examples, integer, stringArray } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { htmlOption, openPage } from '../../cli/page.ts';
import { addFlowOptions, type FlowFlags, tableTaker, takeFlows } from '../../cli/policy/flows.ts';
import {
  addStateOptions,
  loadRules,
  loadState,
  type StateFlags,
  settingsBeside,
} from '../../cli/policy/inputs.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { PolicyEngine } from '../../policy/evaluate/decide/engine.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { takePods } from '../../policy/evaluate/decide/pods.ts';
import { reportOfReplay } from '../../policy/reports/as-checks.ts';
import { FlowTable } from '../../policy/reports/flow-table.ts';
import { type Change, type ReplayReport, replay } from '../../policy/reports/replay.ts';
import type { SourcedRule } from '../../policy/rule.ts';
import { renderReplay } from '../../render/policy/replay.ts';

interface ReplayOptions extends FlowFlags, StateFlags {
  candidate: string[];
  current?: string;
  failOn?: Change;
  maxUndecided: number;
  output: string;
  html?: string;
}

/** Declares `policy replay`. */
export function addPolicyReplayCommand(command: Command, ctx: Context): void {
  addFlowOptions(command);
  command
    .addOption(stringArray('-c, --candidate <path...>', 'File or folder of the rules to try'))
    .option(
      '--current <path>',
      'Compare with these rules (a file or folder, or "agent") instead of the verdicts in the flows',
    );
  addStateOptions(command, 'the identities in the flows')
    .addOption(
      new Option(
        '--fail-on <change>',
        'Exit with 1 if any flow changes this way, or may but is not decided',
      ).choices(['newly-denied', 'newly-allowed']),
    )
    .addOption(
      integer('--max-undecided <n>', 'With --fail-on: number of such flows that may stay undecided', {
        min: 0,
      }).default(0),
    )
    .addOption(outputOption(...REPORT_FORMATS))
    .addOption(htmlOption('the map of the flows, with what would change on it,'))
    .addHelpText(
      'after',
      examples(
        'cilium policy replay --candidate policies/ --flows capture.jsonl --fail-on newly-denied',
        'cilium policy replay --candidate new.yaml --current agent',
        'cilium policy replay --candidate new.yaml --flows capture.jsonl --html changes.html',
      ),
    )
    .action((options: ReplayOptions) => runPolicyReplay(options, command, ctx));
}

/** Loads rules, reads the flows once, compares and prints. */
export async function runPolicyReplay(options: ReplayOptions, command: Command, ctx: Context): Promise<void> {
  if (options.candidate.length === 0) throw new UsageError('Missing --candidate: the rules to try');
  const page = options.html === undefined ? undefined : await openPage(options.html, ctx);
  const map = page && new (await import('./replay-page.ts')).ReplayMap();
  const fromAgent = options.state === 'agent' || options.current === 'agent';
  const { state, settings, rules } = await loadState(ctx, {
    ...options,
    ...(fromAgent && { state: 'agent' }),
  });
  const read = (paths: string[]) => loadRules(ctx, paths, { objects: state.objects, settings });
  // The objects beside the rules say what flows to services mean.
  const tried = await read(options.candidate);
  const compared =
    options.current === undefined || options.current === 'agent' ? rules : await read([options.current]);
  takePods(state);
  const table = new FlowTable(
    new Peers(new PolicyEngine(state.identities, state.endpoints, settings), state),
  );
  await (map
    ? takeFlows(command, options, ctx, map.taker(table))
    : takeFlows(command, options, ctx, tableTaker(table)));
  if (table.total === 0)
    throw new UserError(`${options.flows ?? 'Hubble'} contains no flows`, {
      hint: 'Record flows with "hubble observe -o json --last 1000 > flows.jsonl".',
    });
  const full = settingsBeside(table.facts, state, settings);
  const engineOf = (sources: readonly SourcedRule[]) =>
    new PolicyEngine(state.identities, state.endpoints, full).addAll(sources);
  const candidate = engineOf(tried);
  const current = options.current === undefined ? undefined : engineOf(compared);
  const report = replay(table, candidate, current, map?.tell);
  const { output, failOn, maxUndecided } = options;
  if (isReportFormat(output))
    await writeReport(ctx, output, reportOfReplay(report, { failOn, maxUndecided }));
  else if (output) await writeStructured(ctx, output, report);
  else await ctx.out.write(renderReplay(report));
  if (page && map)
    await page.write(
      map.render(
        report,
        {
          candidate: options.candidate.join(' '),
          current: options.current,
          flows: options.flows === '-' ? 'stdin' : (options.flows ?? ctx.globals.archive?.label ?? 'Hubble'),
          made: new Date(ctx.clock.nowMs()),
        },
        page.parts,
      ),
    );
  if (options.failOn) await applyGate(report, options.failOn, options.maxUndecided, ctx);
}

/** Fails when a flow changes, and also when too many are not decided that may. */
async function applyGate(
  { changes, open }: ReplayReport,
  change: Change,
  most: number,
  ctx: Context,
): Promise<void> {
  if (changes.some((each) => each.change === change)) ctx.exitCode = 1;
  if (open[change] <= most) return;
  ctx.exitCode = 1;
  await ctx.err.write(
    `Failed: ${open[change]} flows that were not decided or not compared may be ${change.replace('-', ' ')} (--max-undecided ${most}).\n`,
  );
}
