import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption, writeStructured } from '../../cli/output.ts';
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
import { openQuestions } from '../../policy/reports/open-questions.ts';
import { policyMapsTable } from '../../render/policy/maps.ts';
import { renderOpenQuestions } from '../../render/policy/open-questions.ts';

interface MapsOptions extends StateFlags, ListFlags {
  rules: string[];
}

/** Declares `policy maps`. */
export function addPolicyMapsCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium policy maps --state agent --rules policies/'));
  addRulesOption(command);
  addStateOptions(command, 'agent')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: MapsOptions) => runList(ctx, options, runPolicyMaps));
  addListOptions(command);
}

/** Loads rules and state, computes the maps and prints them. */
export async function runPolicyMaps(options: MapsOptions, ctx: Context): Promise<void> {
  const state = options.state ?? usualState(ctx);
  const { engine } = await loadEngine(ctx, { ...options, state });
  needAllRules(engine);
  if (engine.endpoints.length === 0)
    throw new UserError(`${state} has no endpoints, so there are no maps`, {
      hint: 'A state document lists endpoints as "endpoints": [{"id": 7, "identity": 70425}].',
    });
  const maps = engine.endpoints
    .toSorted((a, b) => a.id - b.id)
    .map((endpoint) => ({ endpoint: endpoint.id, entries: engine.entriesOf(endpoint) }));
  if (options.output) await writeStructured(ctx, options.output, maps);
  else await printTable(ctx, options, policyMapsTable(maps));
  await ctx.err.write(renderOpenQuestions(openQuestions(engine)));
}
