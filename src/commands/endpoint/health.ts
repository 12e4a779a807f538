import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { EndpointHealth } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
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
  const answer = await agent
    .get('/endpoint/{id}/healthz', { path: { id } })
    .catch(failed(`Cannot get endpoint healthz ${id}`));
  if (options.output) return writeStructured(ctx, options.output, answer, 'EndpointHealth');
  const health = new Reader<EndpointHealth>('GET /endpoint/{id}/healthz', answer);
  await ctx.out.write(
    renderEndpointHealth({
      overall: health.text('overallHealth'),
      bpf: health.text('bpf'),
      policy: health.text('policy'),
      connected: health.flag('connected'),
    }),
  );
}
