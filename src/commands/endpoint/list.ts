import type { Command } from 'commander';
import { decodeEndpointRows, sortById } from '../../agent/endpoints.ts';
import type { Context } from '../../context.ts';
import { endpointTable } from '../../render/endpoint.ts';
import { outputOption } from '../flags.ts';
import { failed, type OutputFlag, writeStructured } from '../rest.ts';
import { addWatchOptions, printList, type WatchFlags } from '../watch.ts';

interface EndpointListOptions extends OutputFlag, WatchFlags {
  headers: boolean;
}

/** Declares `endpoint list`. */
export function addEndpointListCommand(parent: Command, ctx: Context): Command {
  const command = parent
    .command('list')
    .alias('ls')
    .description('List all endpoints')
    .option('--no-headers', 'Do not print headers')
    .addOption(outputOption())
    .action((options: EndpointListOptions) => runEndpointList(options, ctx));
  return addWatchOptions(command);
}

/** Fetches, orders and prints the endpoints of the node. */
export async function runEndpointList(options: EndpointListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/endpoint').catch(failed('cannot get endpoint list'));
  if (options.output) return writeStructured(ctx, options.output, sortById(await fetch()), 'Endpoint[]');
  await printList(ctx, options, async () => endpointTable(decodeEndpointRows(await fetch()), options));
}
