import type { Command } from 'commander';
import { readEndpointHealth } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderEndpointHealth } from '../../render/agent/endpoint.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint health`. */
export function addEndpointHealthCommand(command: Command, ctx: Context): void {
  command
    .argument('[endpoint]', 'number, or prefix:value')
    .addOption(outputOption())
    .action((endpoint: string | undefined, options: OutputFlag) =>
      runEndpointHealth(endpointArgument(command, endpoint).text, options, ctx),
    );
}

async function runEndpointHealth(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readEndpointHealth(agent, id).catch(failed(`Cannot get endpoint healthz ${id}`));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderEndpointHealth(answer.decode()));
}
