import type { Command } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { decodePolicy } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { entriesWithLabels, isEntryList } from '../../policy/read/entries.ts';
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
  const answer: unknown = await agent
    .get('/policy', labels.length > 0 ? { body: labels } : {})
    .catch(failed('Cannot get policy'));
  const chosen = chooseEntries(answer, labels);
  if (options.output) return writeStructured(ctx, options.output, chosen, 'Policy');
  const { policy, revision } = decodePolicy(chosen, 'GET /policy');
  await ctx.out.write(`${sanitize(policy)}\nRevision: ${revision}\n`);
}

/** Agents from 1.19 on ignore the labels and send every entry, so the entries are filtered here. */
function chooseEntries(answer: unknown, labels: readonly string[]): unknown {
  if (labels.length === 0) return answer;
  const { policy, revision } = decodePolicy(answer, 'GET /policy');
  const entries = parse(policy);
  if (!isEntryList(entries)) return answer;
  const chosen = entriesWithLabels(entries, labels);
  if (chosen.length === 0)
    throw new UserError(`Cannot get policy: ${new ApiError('GET', '/policy', 404, undefined).message}`, {
      hint: `No rule has the labels ${labels.join(', ')}.`,
    });
  return { policy: goJson(chosen, 2), revision };
}

function parse(policy: string): unknown {
  try {
    return JSON.parse(policy);
  } catch (cause) {
    throw new UserError('Cannot get policy: the rules in the answer are not JSON', { cause });
  }
}
