import type { Command } from 'commander';
import { sortById } from '../../agent/decode/endpoints.ts';
import { decodeIdentities } from '../../agent/decode/identities.ts';
import { failed } from '../../cli/answer.ts';
import { examples, requiredArgument, stringSlice } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { identityTable } from '../../render/agent/identity.ts';
import { renderTable } from '../../render/text/blocks.ts';

interface IdentityGetOptions extends OutputFlag {
  label: string[];
}

/** Declares `identity get`. */
export function addIdentityGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium identity get 12345'))
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
  const fetch = async () => {
    if (options.label.length > 0)
      return agent
        .get('/identity', { body: options.label })
        .catch(failed(`Cannot get identity for labels [${options.label.join(' ')}]`));
    const id = requiredArgument(command, argument, 'identity ID');
    return [
      await agent
        .get('/identity/{id}', { path: { id } })
        .catch(failed(`Cannot get identity for given ID ${id}`)),
    ];
  };
  const answer = sortById(await fetch());
  if (options.output) return writeStructured(ctx, options.output, answer, 'Identity[]');
  await ctx.out.write(renderTable(identityTable(decodeIdentities('GET /identity/{id}', answer))));
}
