import type { Command } from 'commander';
import { isMissingOperation, listSelectors, type SelectorPath } from '../../agent/decode/policy.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printTable, runList } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption, writeAnswer } from '../../cli/output.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { atLeast, NEWEST_RELEASE } from '../../model/release.ts';
import { plainSelectorTable, selectorTable } from '../../render/agent/policy.ts';

interface SelectorsOptions extends ListFlags {
  verbose?: boolean;
}

/** Declares `policy selectors`. */
export function addPolicySelectorsCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium policy selectors', 'cilium policy selectors --verbose'));
  declareSelectors(command, ctx, '/policy/selectors');
}

/** Adds the flags and the action of a verb that lists selectors. */
export function declareSelectors(command: Command, ctx: Context, path: SelectorPath): void {
  command
    .option('-v, --verbose', 'Show the full labels')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: SelectorsOptions) =>
      runList(ctx, options, (flags, here) => runPolicySelectors(path, flags, here)),
    );
  addListOptions(command);
}

/** Fetches and prints selectors with the identities that they match. */
export async function runPolicySelectors(
  path: SelectorPath,
  options: SelectorsOptions,
  ctx: Context,
): Promise<void> {
  const agent = await ctx.agent();
  const answer = await listSelectors(agent, path).catch((error: unknown) => {
    if (path === '/policy/subject-selectors' && isMissingOperation(error))
      throw new UserError('this agent does not list its subject selectors: they came with 1.20', {
        hint: '"cilium policy get" shows the subjects of the rules; "cilium policy selectors" shows the peers.',
        cause: error,
      });
    return failed('Cannot get policy')(error);
  });
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const rows = answer.decode();
  // No agent before 1.16 says which rules a selector is from; of a newer one, perhaps no rule has labels.
  const unlabelled = rows.length > 0 && rows.every(({ labels }) => labels.length === 0);
  const release = unlabelled ? await releaseOfAgent(ctx) : NEWEST_RELEASE;
  const plain = release === undefined || !atLeast(release, '1.16');
  const table = plain ? plainSelectorTable(rows) : selectorTable(rows, { verbose: options.verbose === true });
  await printTable(ctx, options, table);
}
