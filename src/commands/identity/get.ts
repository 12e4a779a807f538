import type { Command } from 'commander';
import { findIdentity, listIdentities } from '../../agent/decode/identities.ts';
import { failed } from '../../cli/answer.ts';
import { examples, requiredArgument, stringSlice } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { identityTable } from '../../render/agent/identity.ts';
import { renderTable } from '../../render/text/blocks.ts';

interface IdentityGetOptions extends OutputFlag {
  label: string[];
}

/** Declares `identity get`. */
export function addIdentityGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium identity get 137983'))
    .argument('[identity]', 'number of the identity')
    .addOption(stringSlice('--label <labels>', 'Label to lookup'))
    .addOption(outputOption())
    .action((identity: string | undefined, options: IdentityGetOptions) =>
      runIdentityGet(identity, options, command, ctx),
    );
}

async function runIdentityGet(
  argument: string | undefined,
  options: IdentityGetOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  const agent = await ctx.agent();
  const ask = () => {
    const labels = options.label;
    if (labels.length > 0)
      return listIdentities(agent, { labels }).catch(
        failed(`Cannot get identity for labels [${labels.join(' ')}]`),
      );
    const id = requiredArgument(command, argument, 'identity ID');
    return findIdentity(agent, id).catch(failed(`Cannot get identity for given ID ${id}`));
  };
  const answer = await ask();
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderTable(identityTable(answer.decode())));
}
