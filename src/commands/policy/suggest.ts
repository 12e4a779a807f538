import { type Command, Option } from 'commander';
import { examples, stringSlice } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { PolicyEngine } from '../../policy/evaluate/decide/engine.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { FlowTable } from '../../policy/reports/flow-table.ts';
import { type ReplayReport, replay } from '../../policy/reports/replay.ts';
import { type SuggestedPolicy, suggest } from '../../policy/reports/suggest.ts';
import { goYaml } from '../../render/text/yaml.ts';
import { addFlowOptions, type FlowFlags, readFlows } from './flows.ts';
import { addStateOptions, loadState, type StateFlags } from './inputs.ts';

interface SuggestOptions extends FlowFlags, StateFlags {
  namespace: string[];
  output: 'yaml' | 'json';
}

/** Declares `policy suggest`. */
export function addPolicySuggestCommand(command: Command, ctx: Context): void {
  addFlowOptions(
    command.description(
      'Write the smallest policies that allow the recorded flows, and replay the flows to verify them',
    ),
  );
  addStateOptions(command, 'the identities in the flows')
    .addOption(stringSlice('-n, --namespace <names>', 'Only workloads of these namespaces'))
    .addOption(new Option('-o, --output <format>', 'Output format').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      examples('cilium policy suggest --flows capture.jsonl --namespace shop > policies.yaml'),
    )
    .action((options: SuggestOptions) => runPolicySuggest(options, command, ctx));
}

/** Reads the flows, writes policies and verifies them. */
export async function runPolicySuggest(
  options: SuggestOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  const { state, settings } = await loadState(ctx, options);
  const base = new PolicyEngine(state.identities, state.endpoints, settings);
  const table = new FlowTable(new Peers(base, state));
  for await (const flow of readFlows(command, options, ctx)) table.add(flow);
  const wanted = new Set(options.namespace);
  const policies = suggest(table).filter(
    ({ metadata }) => wanted.size === 0 || wanted.has(metadata.namespace),
  );
  if (policies.length === 0)
    throw new UserError(
      `no flow of ${options.flows ?? 'Hubble'} shows traffic of a pod that was allowed or denied`,
      {
        hint: 'Record flows of the workloads with "hubble observe -o json --last 1000".',
      },
    );
  const text = render(policies, options.output);
  await ctx.out.write(text);
  await prove(text, options, table, base, ctx);
}

function render(policies: readonly SuggestedPolicy[], format: SuggestOptions['output']): string {
  if (format === 'json') return `${JSON.stringify(policies, null, 2)}\n`;
  return policies.map((policy) => goYaml(policy)).join('---\n');
}

/** Parses the printed policies and replays the flows against them. */
async function prove(
  text: string,
  options: SuggestOptions,
  table: FlowTable,
  base: PolicyEngine,
  ctx: Context,
): Promise<void> {
  const { rules, findings } = await parsePolicies([{ file: `suggested.${options.output}`, text }]);
  const [error] = findings.filter(({ severity }) => severity === 'error');
  if (error) throw new Error(`the suggested policy is wrong: ${error.message}`);
  const clusterName = base.clusterName ?? table.clusterName();
  const engine = new PolicyEngine(base.identities.all.values(), base.endpoints, {
    ...base.settings,
    ...(clusterName && { clusterName }),
  }).addAll(rules);
  const report = replay(table, engine);
  await ctx.err.write(proofOf(report));
  if (report.changes.some(({ change }) => change === 'newly-denied')) ctx.exitCode = 1;
}

function proofOf({ flows, changes, undecided }: ReplayReport): string {
  const denied = changes
    .filter(({ change }) => change === 'newly-denied')
    .reduce((sum, each) => sum + each.flows, 0);
  const allowed = changes
    .filter(({ change }) => change === 'newly-allowed')
    .reduce((sum, each) => sum + each.flows, 0);
  const open = undecided.reduce((sum, each) => sum + each.flows, 0);
  return `Replayed ${flows} flows against these policies: ${denied} newly denied, ${allowed} newly allowed, ${open} not decided.\n`;
}
