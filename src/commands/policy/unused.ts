import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption, writeStructured } from '../../cli/output.ts';
import { flowFileOption, readFlowFile } from '../../cli/policy/flows.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  needAllRules,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { reportOfUnused } from '../../policy/reports/as-checks.ts';
import { openQuestions } from '../../policy/reports/open-questions.ts';
import { rulesOfFlows, unusedRules } from '../../policy/reports/unused.ts';
import { noneUnused, unusedTable } from '../../render/policy/cost.ts';

interface UnusedOptions extends StateFlags, ListFlags {
  rules: string[];
  flows?: string;
}

/** Declares `policy unused`. */
export function addPolicyUnusedCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium policy unused --flows flows.jsonl --rules policies/ --state agent',
      'hubble observe --since 24h -o json | cilium policy unused --flows - --state agent',
    ),
  );
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(flowFileOption())
    .addOption(outputOption(...LIST_FORMATS, ...REPORT_FORMATS))
    .action((options: UnusedOptions) => runList(ctx, options, runPolicyUnused));
  addListOptions(command);
}

/** Loads rules and state, looks for rules without effect and prints them. */
export async function runPolicyUnused(options: UnusedOptions, ctx: Context): Promise<void> {
  const from = options.state ?? usualState(ctx);
  const { engine, state } = await loadEngine(ctx, { ...options, flows: [], state: from });
  needAllRules(engine);
  if (engine.endpoints.length === 0)
    throw new UserError(`${from} has no endpoints, so every rule would be listed`);
  const used =
    options.flows === undefined
      ? undefined
      : await rulesOfFlows(readFlowFile(ctx, options.flows), engine, new Peers(engine, state));
  const unused = unusedRules(engine, { used, partial: state.localOnly });
  const isSettled = state.localOnly !== true && openQuestions(engine, engine.rules).length === 0;
  const { output } = options;
  if (isReportFormat(output)) await writeReport(ctx, output, reportOfUnused(unused, engine.rules.length));
  else if (output) await writeStructured(ctx, output, unused);
  else if (unused.length === 0) await ctx.out.write(noneUnused(engine.rules.length, { isSettled }));
  else await printTable(ctx, options, unusedTable(unused));
}
