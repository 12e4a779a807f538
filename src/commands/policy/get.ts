import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { parsePolicy, readPolicy } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addClusterListFlags, type ClusterListFlags, meansObjects } from '../../cli/kube/target.ts';
import {
  isStructured,
  LIST_FORMATS,
  type OutputFlag,
  outputOption,
  writeStructured,
} from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { AgentPolicy } from '../../model/policy.ts';
import { entriesWithLabels, isEntryList } from '../../policy/read/agent-entries.ts';
import type { PolicyEntry } from '../../policy/rule.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitize } from '../../render/text/sanitize.ts';

/** What an agent sent that ignores labels. */
interface SentEntries {
  entries: PolicyEntry[];
  revision: number;
}

interface PolicyGetOptions extends OutputFlag, ClusterListFlags {
  matching?: boolean;
}

/** Declares `policy get`. */
export function addPolicyGetCommand(command: Command, ctx: Context): void {
  command
    .argument(
      '[labels...]',
      'only rules with all of these labels, as [source:]key[=value] (ignored by agents from 1.19 on); of a cluster policies by name, as [KIND/]NAME',
    )
    .option('--matching', 'Choose the rules with these labels here, where the agent sends all of them')
    .addHelpText(
      'after',
      examples(
        'cilium policy get',
        'cilium policy get --matching k8s:io.cilium.k8s.policy.name=web',
        'cilium policy get -A',
        'cilium policy get -n shop cnp/web -o yaml',
      ),
    )
    .addOption(outputOption(...LIST_FORMATS));
  addClusterListFlags(command);
  command.action(async (labels: string[], options: PolicyGetOptions) => {
    if (!(await meansObjects(options, ctx))) {
      const { output } = options;
      if (output !== '' && !isStructured(output))
        throw new UserError(`-o ${output} is for the objects of a cluster`, {
          hint: 'List those with --cluster; what an agent knows has -o json, yaml and jsonpath.',
        });
      if (options.selector !== undefined)
        throw new UserError('--selector is for the objects of a cluster: --cluster');
      return runPolicyGet(labels, options, ctx);
    }
    if (options.matching)
      throw new UserError('--matching is for the rules of an agent: a cluster has --selector');
    const { printPolicies } = await import('../../cli/kube/policy-objects.ts');
    await printPolicies(command, labels, options, ctx);
  });
}

/** Prints the rules of the agent and their revision. */
export async function runPolicyGet(labels: string[], options: PolicyGetOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readPolicy(agent, { labels }).catch(failed('Cannot get policy'));
  const all = labels.length > 0 ? sentAll(answer.decode()) : undefined;
  const chosen = all && options.matching ? chooseEntries(all, labels) : undefined;
  if (all && !options.matching)
    await ctx.err.write(
      'Note: this agent ignores labels and sends all rules. --matching chooses among them.\n',
    );
  if (options.output) return writeStructured(ctx, options.output, chosen ?? answer.document, answer.type);
  const { policy, revision } = chosen ?? answer.decode();
  await ctx.out.write(`${sanitize(policy)}\nRevision: ${revision}\n`);
}

/** The entries of an agent from 1.19 on, which ignores labels. Undefined for an older agent, which has chosen. */
function sentAll(policy: AgentPolicy): SentEntries | undefined {
  const entries = parsePolicy(policy);
  return isEntryList(entries) ? { entries, revision: policy.revision } : undefined;
}

function chooseEntries({ entries, revision }: SentEntries, labels: readonly string[]): AgentPolicy {
  const chosen = entriesWithLabels(entries, labels);
  if (chosen.length === 0)
    throw new UserError(`Cannot get policy: ${new ApiError('GET', '/policy', 404, undefined).message}`, {
      hint: `No rule has the labels ${labels.join(', ')}.`,
    });
  return { policy: goJson(chosen, 2), revision };
}
