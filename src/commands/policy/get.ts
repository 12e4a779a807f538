import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { parsePolicy, readPolicy } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { AgentPolicy } from '../../model/policy.ts';
import { entriesWithLabels, isEntryList } from '../../policy/read/agent-entries.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitize } from '../../render/text/sanitize.ts';

/** Declares `policy get`. */
export function addPolicyGetCommand(command: Command, ctx: Context): void {
  command
    .argument('[labels...]', 'only rules with all of these labels, as [source:]key[=value]')
    .addHelpText(
      'after',
      examples('cilium policy get', 'cilium policy get k8s:io.cilium.k8s.policy.name=web'),
    )
    .addOption(outputOption())
    .action((labels: string[], options: OutputFlag) => runPolicyGet(labels, options, ctx));
}

/** Prints the rules of the agent and their revision. */
export async function runPolicyGet(labels: string[], options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readPolicy(agent, { labels }).catch(failed('Cannot get policy'));
  const chosen = labels.length > 0 ? chooseEntries(answer.decode(), labels) : undefined;
  if (options.output) return writeStructured(ctx, options.output, chosen ?? answer.document, answer.type);
  const { policy, revision } = chosen ?? answer.decode();
  await ctx.out.write(`${sanitize(policy)}\nRevision: ${revision}\n`);
}

/**
 * Agents from 1.19 on ignore the labels and send every entry, so the entries are filtered here. Undefined for an older
 * agent, which has chosen.
 */
function chooseEntries(all: AgentPolicy, labels: readonly string[]): AgentPolicy | undefined {
  const entries = parsePolicy(all);
  if (!isEntryList(entries)) return undefined;
  const chosen = entriesWithLabels(entries, labels);
  if (chosen.length === 0)
    throw new UserError(`Cannot get policy: ${new ApiError('GET', '/policy', 404, undefined).message}`, {
      hint: `No rule has the labels ${labels.join(', ')}.`,
    });
  return { policy: goJson(chosen, 2), revision: all.revision };
}
