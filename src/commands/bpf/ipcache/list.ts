import type { Command } from 'commander';
import { outputOption, requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { type OutputOptions, printPairs } from '../dump.ts';
import { readIpcachePairs } from './map.ts';

/** Declares `bpf ipcache list`. */
export function addBpfIpcacheListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .alias('ls')
    .description('List endpoint IPs (local and remote) and their corresponding security identities')
    .addOption(outputOption())
    .action((options: OutputOptions) => runBpfIpcacheList(options, ctx));
}

/** Prints every prefix and the identity that the datapath gives it. */
export async function runBpfIpcacheList(options: OutputOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf ipcache list', ctx.uid);
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'IDENTITY'], await readIpcachePairs(ctx), options);
}
