import { type Command, Option } from 'commander';
import { examples, stringSlice } from '../../cli/flags.ts';
import { addFlowOptions, type FlowFlags, tableTaker, takeFlows } from '../../cli/policy/flows.ts';
import { addStateOptions, loadState, type StateFlags, settingsBeside } from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { PolicyEngine } from '../../policy/evaluate/decide/engine.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { FlowTable } from '../../policy/reports/flow-table.ts';
import { type ReplayReport, replay } from '../../policy/reports/replay.ts';
import { type Suggestions, suggest } from '../../policy/reports/suggest.ts';
import type { SourcedRule } from '../../policy/rule.ts';
import { remarkLines, renderSuggestions } from '../../render/policy/suggest.ts';

interface SuggestOptions extends FlowFlags, StateFlags {
  namespace: string[];
  output: 'yaml' | 'json';
}

/** Declares `policy suggest`. */
export function addPolicySuggestCommand(command: Command, ctx: Context): void {
  addFlowOptions(command);
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
  await takeFlows(command, options, ctx, tableTaker(table));
  const found = inNamespaces(suggest(table), options.namespace);
  if (found.suggestions.length === 0) throw nothingFound(found, options);
  const text = renderSuggestions(found, options.output);
  await ctx.out.write(text);
  const rules = await checked(text, options);
  await prove(rules, table, base, ctx);
  await ctx.err.write(remarkLines(found));
}

function inNamespaces(found: Suggestions, namespaces: readonly string[]): Suggestions {
  if (namespaces.length === 0) return found;
  const wanted = new Set(namespaces);
  return {
    ...found,
    suggestions: found.suggestions.filter(({ policy }) => wanted.has(policy.metadata.namespace)),
    unnamed: found.unnamed.filter(({ namespace }) => wanted.has(namespace)),
  };
}

function nothingFound({ unnamed: [first, ...others] }: Suggestions, { flows }: SuggestOptions): UserError {
  if (first)
    return new UserError(others.length > 0 ? `${first.why} (${others.length} more like it)` : first.why);
  return new UserError(`no flow of ${flows ?? 'Hubble'} shows traffic of a pod that was allowed or denied`, {
    hint: 'Record flows of the workloads with "hubble observe -o json --last 1000".',
  });
}

/** The rules of what will be printed. Flows may hold names that no policy can. */
async function checked(text: string, { output }: SuggestOptions): Promise<SourcedRule[]> {
  const { rules, findings } = await parsePolicies([{ file: `suggested.${output}`, text }]);
  const error = findings.find(({ severity }) => severity === 'error');
  if (error)
    throw new UserError(`no policy can hold what these flows name: ${error.message}`, {
      hint: 'Is the file a capture of Hubble? --namespace leaves out what is elsewhere.',
    });
  return rules;
}

/** Replays the flows against the policies. */
async function prove(
  rules: readonly SourcedRule[],
  table: FlowTable,
  base: PolicyEngine,
  ctx: Context,
): Promise<void> {
  const identities = [...base.identities.all.values()];
  const settings = settingsBeside(table.facts, { ...table.peers.state, identities }, base.settings);
  const engine = new PolicyEngine(identities, base.endpoints, settings).addAll(rules);
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
