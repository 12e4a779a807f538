import type { Command } from 'commander';
import { readEndpointHealth } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderEndpointHealth } from '../../render/agent/endpoint.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint health`. */
export function addEndpointHealthCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium endpoint health 637', 'cilium endpoint health 637 -o json'));
  command
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .addOption(outputOption())
    .action(async (endpoint: string | undefined, options: OutputFlag) =>
      runEndpointHealth((await endpointArgument(command, endpoint, ctx)).text, options, ctx),
    );
}

async function runEndpointHealth(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readEndpointHealth(agent, id).catch(failed(`Cannot get endpoint healthz ${id}`));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderEndpointHealth(answer.decode()));
}
