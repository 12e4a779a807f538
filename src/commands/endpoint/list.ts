import type { Command } from 'commander';
import { decodeEndpointRows } from '../../agent/endpoints.ts';
import type { Context } from '../../context.ts';
import { renderEndpointList } from '../../render/endpoint.ts';

interface EndpointListOptions {
  headers: boolean;
}

/** Declares `endpoint list`. */
export function addEndpointListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .alias('ls')
    .description('List all endpoints')
    .option('--no-headers', 'Do not print headers')
    .action((options: EndpointListOptions) => runEndpointList(options, ctx));
}

/** Fetches, orders and prints the endpoints of the node. */
export async function runEndpointList(options: EndpointListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await agent.get('/endpoint');
  await ctx.out.write(renderEndpointList(decodeEndpointRows(answer), options));
}
