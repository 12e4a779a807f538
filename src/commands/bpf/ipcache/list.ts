import type { Command } from 'commander';
import { outputOption } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { type OutputOptions, printPairs } from '../dump.ts';
import { readIpcachePairs } from './map.ts';

/** Declares `bpf ipcache list`. */
export function addBpfIpcacheListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputOptions) => runBpfIpcacheList(options, ctx));
}

/** Prints every prefix and the identity that the datapath gives it. */
export async function runBpfIpcacheList(options: OutputOptions, ctx: Context): Promise<void> {
  await printPairs(ctx, ['IP PREFIX/ADDRESS', 'IDENTITY'], await readIpcachePairs(ctx), options);
}
