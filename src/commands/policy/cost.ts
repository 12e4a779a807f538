import type { Command } from 'commander';
import { examples, integer } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  needAllRules,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { costOf } from '../../policy/reports/cost.ts';
import { openQuestions } from '../../policy/reports/open-questions.ts';
import { renderCost } from '../../render/policy/cost.ts';
import { renderOpenQuestions } from '../../render/policy/open-questions.ts';

interface CostOptions extends StateFlags {
  rules: string[];
  top: number;
  output: string;
}

/** Declares `policy cost`. */
export function addPolicyCostCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium policy cost --state agent',
      'cilium policy cost --rules policies/ --state agent --top 5',
    ),
  );
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(integer('--top <n>', 'Number of rules and endpoints to list', { min: 1 }).default(20))
    .addOption(outputOption())
    .action((options: CostOptions) => runPolicyCost(options, ctx));
}

/** Loads rules and state, counts and prints. */
export async function runPolicyCost(options: CostOptions, ctx: Context): Promise<void> {
  const { engine } = await loadEngine(ctx, { ...options, state: options.state ?? usualState(ctx) });
  needAllRules(engine);
  const report = costOf(engine);
  if (options.output) await writeStructured(ctx, options.output, report);
  else await ctx.out.write(renderCost(report, options.top, ctx.out.columns));
  await ctx.err.write(renderOpenQuestions(openQuestions(engine, engine.rules)));
}
