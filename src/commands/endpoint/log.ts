import type { Command } from 'commander';
import { readEndpointLog } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderEndpointLog } from '../../render/agent/endpoint.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint log`. */
export function addEndpointLogCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium endpoint log 637', 'cilium endpoint log shop/redis-0 -o json'),
  );
  command
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .addOption(outputOption())
    .action(async (endpoint: string | undefined, options: OutputFlag) =>
      runEndpointLog((await endpointArgument(command, endpoint, ctx)).text, options, ctx),
    );
}

async function runEndpointLog(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readEndpointLog(agent, id).catch(failed(`Cannot get endpoint log ${id}`));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderEndpointLog(answer.decode()));
}
