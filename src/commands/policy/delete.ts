import { rm } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { ApiError } from '../../agent/client.ts';
import type { Answer } from '../../agent/decode/answer.ts';
import { deletePolicy, isMissingOperation } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { isClusterMeant, objectsNamespace, type TargetOptions } from '../../cli/kube/target.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import { type AgentRule, labelsOfRule, readAgentRules } from '../../cli/policy/agent-rules.ts';
import { noPolicyApi } from '../../cli/policy/no-api.ts';
import { pruneUndo, reserveUndo } from '../../cli/undo.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { formatLabel, holdsLabels, parseLabels } from '../../model/label.ts';
import type { AgentPolicy } from '../../model/policy.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitize } from '../../render/text/sanitize.ts';

interface DeleteOptions extends OutputFlag, WriteOptions, TargetOptions {
  all?: boolean;
  selector?: string;
  undoFile?: string;
}

/** Declares `policy delete`. */
export function addPolicyDeleteCommand(command: Command, ctx: Context): void {
  command
    .argument(
      '[labels...]',
      'rules with all of these labels, as [source:]key[=value]; of a cluster policies by name, as [KIND/]NAME',
    )
    .addHelpText(
      'after',
      examples(
        'cilium policy delete k8s:io.cilium.k8s.policy.name=web',
        'cilium policy delete --all --dry-run',
        'cilium policy delete --cluster -n shop cnp/web --dry-run',
      ),
    )
    .option('--all', 'Delete all policies')
    .addOption(outputOption())
    .option(
      '--undo-file <path>',
      'File to save the deleted rules to, for "policy import" (default /var/lib/cilium-toolkit/policy-TIME.json)',
    );
  writeFlags(command)
    .optionsGroup('Flags for a cluster:')
    .addOption(new Option('--cluster', 'Delete objects of the cluster, of all kinds of policies'))
    .addOption(
      new Option(
        '-l, --selector <labels>',
        'Objects with these labels: with -n in that namespace, else in all',
      ),
    )
    .addOption(objectsNamespace())
    .action(async (labels: string[], options: DeleteOptions) => {
      if (!options.cluster) {
        if (options.selector !== undefined)
          throw new UserError('--selector is for the objects of a cluster: --cluster');
        return runPolicyDelete(labels, options, ctx);
      }
      await isClusterMeant(options, ctx);
      const { deletePolicies } = await import('../../cli/kube/policy-objects.ts');
      await deletePolicies(command, labels, options, ctx);
    });
}

/**
 * Deletes the rules that have all of the labels, or every rule with `--all`, after saving them to the undo file.
 * Asks for confirmation at a terminal only; scripts see the output of the reference.
 */
export async function runPolicyDelete(labels: string[], options: DeleteOptions, ctx: Context): Promise<void> {
  if (labels.length === 0 && !options.all)
    throw new UserError('Please use --all flag to delete all policies');
  if (labels.length > 0 && options.all)
    throw new UserError('--all and labels cannot be combined', {
      hint: 'Labels delete the rules that have them; --all deletes every rule.',
    });
  const going = await rulesThatGo(labels, options, ctx);
  if (options.dryRun || (options.all && ctx.in.isTTY && !options.yes)) {
    const out = options.dryRun ? ctx.out : ctx.err;
    if (going) await out.write(going.map((rule) => `${nameOf(rule)}\n`).join(''));
    const count = going === undefined ? 'policy rules' : `${going.length} policy rules`;
    if (!(await mayWrite(ctx, `delete ${labels.length === 0 ? 'all ' : ''}${count}`, options))) return;
  }
  const undo = going?.length ? await record(going, options, ctx) : undefined;
  const answer = await send(labels, undo, ctx);
  if (options.output) await writeAnswer(ctx, options.output, answer);
  else await ctx.out.write(`Revision: ${answer.decode().revision}\n`);
  if (undo !== undefined && ctx.err.isTTY)
    await ctx.err.write(`To restore the rules: cilium policy import ${undo}\n`);
}

/** The rules that will be deleted; undefined when the agent does not return its rules, so that none can be saved. */
async function rulesThatGo(
  labels: readonly string[],
  { undoFile }: DeleteOptions,
  ctx: Context,
): Promise<AgentRule[] | undefined> {
  const rules = await readAgentRules(ctx).catch((error: unknown) => {
    if (error instanceof ApiError && undoFile === undefined) return undefined;
    return failed('Cannot delete policy')(error);
  });
  const wanted = parseLabels(labels, 'any');
  return rules?.filter((rule) => holdsLabels(labelsOfRule(rule), wanted));
}

function nameOf(rule: AgentRule): string {
  const labels = labelsOfRule(rule).map(formatLabel).join(',');
  const about = typeof rule.description === 'string' ? rule.description : '';
  return sanitize([labels || '(no labels)', about].filter(Boolean).join('  '));
}

/** Saves the rules for `policy import`. When that fails in a script, the deletion goes on with a warning. */
async function record(
  rules: readonly AgentRule[],
  { undoFile }: DeleteOptions,
  ctx: Context,
): Promise<string | undefined> {
  try {
    const path = await reserveUndo(ctx, 'policy', undoFile, `${goJson(rules, 2)}\n`);
    if (undoFile === undefined) await pruneUndo(ctx, 'policy');
    return path;
  } catch (cause) {
    const message = `cannot save the rules: ${errorMessage(cause)}`;
    if (undoFile !== undefined || ctx.in.isTTY)
      throw new UserError(message, {
        hint: 'Nothing was deleted. Choose another file with --undo-file.',
        cause,
      });
    await ctx.err.write(`Warning: ${message}\n`);
    return undefined;
  }
}

async function send(labels: string[], undo: string | undefined, ctx: Context): Promise<Answer<AgentPolicy>> {
  const agent = await ctx.agent();
  try {
    return await deletePolicy(agent, labels);
  } catch (error) {
    // An agent that answers with an error has kept its rules. Without an answer they may be gone.
    if (undo !== undefined && error instanceof ApiError) await rm(undo, { force: true });
    if (isMissingOperation(error)) throw noPolicyApi('deletes', error);
    return writeFailed('Cannot delete policy', 'cilium policy get')(error);
  }
}
