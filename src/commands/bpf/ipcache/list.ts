import type { Command } from 'commander';
import { printPairs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { readIpcachePairs } from './map.ts';

/** Declares `bpf ipcache list`. */
export function addBpfIpcacheListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfIpcacheList(options, ctx));
}

/** Prints every prefix and the identity that the datapath gives it. */
export async function runBpfIpcacheList(options: OutputFlag, ctx: Context): Promise<void> {
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'IDENTITY'], await readIpcachePairs(ctx), options);
}
