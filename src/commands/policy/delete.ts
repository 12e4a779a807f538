import type { Command } from 'commander';
import { decodePolicy, isMissingOperation } from '../../agent/policy.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { outputOption } from '../flags.ts';
import type { OutputFlag } from '../rest.ts';
import { writeFailed } from '../writes.ts';
import { noPolicyApi } from './no-api.ts';

interface DeleteOptions extends OutputFlag {
  all?: boolean;
}

/** Declares `policy delete`. */
export function addPolicyDeleteCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('delete')
    .argument('[labels...]', 'rules with all of these labels, as [source:]key[=value]')
    .description('Delete policy rules')
    .option('--all', 'Delete all policies')
    .addOption(outputOption())
    .action((labels: string[], options: DeleteOptions) => runPolicyDelete(labels, options, ctx));
}

/** Deletes the rules that carry all of the labels; all rules when there are none and `--all` is given. */
export async function runPolicyDelete(labels: string[], options: DeleteOptions, ctx: Context): Promise<void> {
  if (labels.length === 0 && !options.all)
    throw new UserError('Please use --all flag to delete all policies');
  if (labels.length > 0 && options.all)
    throw new UserError('--all and labels contradict each other', {
      hint: 'Labels delete the rules that carry them, --all deletes every rule.',
    });
  const agent = await ctx.agent();
  const answer: unknown = await agent.delete('/policy', { body: labels }).catch((error: unknown) => {
    if (isMissingOperation(error)) throw noPolicyApi('deletes', error);
    return writeFailed('Cannot delete policy', 'cilium policy get')(error);
  });
  if (options.output) {
    const { writeStructured } = await import('../rest.ts');
    return writeStructured(ctx, options.output, answer, 'Policy');
  }
  await ctx.out.write(`Revision: ${decodePolicy(answer, 'DELETE /policy').revision}\n`);
}
