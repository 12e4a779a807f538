import type { Command } from 'commander';
import { listLookups } from '../../../agent/decode/fqdn.ts';
import { failed } from '../../../cli/answer.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import { addWatchOptions, printAnswers, type WatchFlags } from '../../../cli/watch.ts';
import type { Context } from '../../../context.ts';
import { lookupTable } from '../../../render/agent/fqdn.ts';

interface FqdnCacheListOptions extends OutputFlag, WatchFlags {
  matchpattern: string;
  endpoint: string;
  source: string;
}

/** Declares `fqdn cache list`. */
export function addFqdnCacheListCommand(command: Command, ctx: Context): void {
  command
    .option('-p, --matchpattern <pattern>', 'List cache entries with FQDN that match matchpattern', '')
    .option('-e, --endpoint <id>', 'List cache entries for a specific endpoint id', '')
    .option('-s, --source <source>', 'List cache entries from a specific source (lookup, connection)', '')
    .addOption(outputOption())
    .action((options: FqdnCacheListOptions) => runFqdnCacheList(options, ctx));
  addWatchOptions(command);
}

async function runFqdnCacheList(options: FqdnCacheListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const ask = () => listLookups(agent, options).catch(failed('Cannot get the DNS cache'));
  await printAnswers(ctx, options, ask, lookupTable);
}
