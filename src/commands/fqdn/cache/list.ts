import type { Command } from 'commander';
import type { AgentClient } from '../../../agent/client.ts';
import { listLookups } from '../../../agent/decode/fqdn.ts';
import { outputOption } from '../../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../../cli/watch.ts';
import type { Context } from '../../../context.ts';
import { lookupTable } from '../../../render/agent/fqdn.ts';

interface FqdnCacheListOptions extends ListFlags {
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
  const ask = (agent: AgentClient) => listLookups(agent, options);
  await printAnswers(ctx, options, ask, 'Cannot get the DNS cache', lookupTable);
}
