import type { Command } from 'commander';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { flowFileOption, readFlowFile } from '../../cli/policy/flows.ts';
import { addRulesOption, addStateOptions, loadEngine, type StateFlags } from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { PolicyState } from '../../policy/evaluate/decide/cluster-state.ts';
import { rulesOf } from '../../policy/evaluate/decide/decide.ts';
import type { PolicyEngine } from '../../policy/evaluate/decide/engine.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import type { CompiledRule } from '../../policy/evaluate/maps/compile-rule.ts';
import { FlowTable } from '../../policy/reports/flow-table.ts';
import { unusedRules } from '../../policy/reports/unused.ts';
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
  const from = options.state ?? 'agent';
  const { engine, state } = await loadEngine(ctx, { ...options, flows: [], state: from });
  if (engine.endpoints.length === 0)
    throw new UserError(`${from} has no endpoints, so every rule would be listed`);
  const used =
    options.flows === undefined ? undefined : await rulesOfFlows(options.flows, engine, state, ctx);
  const unused = unusedRules(engine, used);
  if (options.output) await writeStructured(ctx, options.output, unused);
  else await ctx.out.write(renderUnused(unused, engine.rules.length));
}

/** The rules that decide a flow or may, or that enable default deny for it. */
async function rulesOfFlows(
  path: string,
  engine: PolicyEngine,
  state: PolicyState,
  ctx: Context,
): Promise<Set<CompiledRule>> {
  const table = new FlowTable(new Peers(engine, state));
  for await (const flow of readFlowFile(ctx, path)) table.add(flow);
  const used = new Set<CompiledRule>();
  for (const { connection } of table.connections) {
    const { egress, ingress, backends = [] } = table.decide(engine, connection);
    for (const each of [egress, ingress, ...backends.flatMap((backend) => [backend.egress, backend.ingress])])
      for (const rule of rulesOf(each)) used.add(rule);
  }
  return used;
}
