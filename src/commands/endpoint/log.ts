import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { EndpointStatusLog } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderEndpointLog } from '../../render/agent/endpoint.ts';
import { endpointArgument } from './argument.ts';

/** Declares `endpoint log`. */
export function addEndpointLogCommand(command: Command, ctx: Context): void {
  command
    .argument('[endpoint]', 'number, or prefix:value')
    .addOption(outputOption())
    .action((endpoint: string | undefined, options: OutputFlag) =>
      runEndpointLog(endpointArgument(command, endpoint).text, options, ctx),
    );
}

async function runEndpointLog(id: string, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await agent
    .get('/endpoint/{id}/log', { path: { id } })
    .catch(failed(`Cannot get endpoint log ${id}`));
  if (options.output) return writeStructured(ctx, options.output, answer, 'EndpointStatusLog');
  const changes = new Reader<EndpointStatusLog>('GET /endpoint/{id}/log', answer).items();
  await ctx.out.write(
    renderEndpointLog(
      changes.map((change) => ({
        timestamp: change.text('timestamp'),
        code: change.text('code'),
        state: change.text('state'),
        message: change.text('message'),
      })),
    ),
  );
}
