import type { Command } from 'commander';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { flowFileOption, readFlowFile } from '../../cli/policy/flows.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  needAllRules,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { openQuestions } from '../../policy/reports/open-questions.ts';
import { rulesOfFlows, unusedRules } from '../../policy/reports/unused.ts';
import { renderUnused } from '../../render/policy/cost.ts';

interface UnusedOptions extends StateFlags {
  rules: string[];
  flows?: string;
  output: string;
}

/** Declares `policy unused`. */
export function addPolicyUnusedCommand(command: Command, ctx: Context): void {
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(flowFileOption())
    .addOption(outputOption())
    .action((options: UnusedOptions) => runPolicyUnused(options, ctx));
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
  if (options.output) await writeStructured(ctx, options.output, unused);
  else await ctx.out.write(renderUnused(unused, engine.rules.length, { isSettled }));
}
