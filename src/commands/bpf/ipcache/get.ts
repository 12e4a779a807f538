import type { Command } from 'commander';
import { IPCACHE } from '../../../bpf/layouts/ipcache.ts';
import { requirePinned } from '../../../bpf/maps/records.ts';
import { addressArgument } from '../../../cli/addresses.ts';
import type { Context } from '../../../context.ts';
import { encodeIpcacheKey, ipcacheValueText } from './map.ts';

/** Declares `bpf ipcache get`. */
export function addBpfIpcacheGetCommand(command: Command, ctx: Context): void {
  command.argument('<ip>').action((ip: string) => runBpfIpcacheGet(ip, ctx));
}

/** Prints the identity that the datapath gives an address: that of its longest prefix. */
export async function runBpfIpcacheGet(text: string, ctx: Context): Promise<void> {
  const key = encodeIpcacheKey(addressArgument(text));
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE);
  // The map itself matches the longest prefix: the key of a single address finds it.
  const value = map.lookup(key);
  if (!value) {
    await ctx.out.write(`${text} does not map to any identity\n`);
    ctx.exitCode = 1;
    return;
  }
  await ctx.out.write(`${text} maps to identity ${await ipcacheValueText(ctx, map, value)}\n`);
}
