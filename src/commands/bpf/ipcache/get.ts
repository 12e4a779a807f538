import type { Command } from 'commander';
import { addressArgument } from '../../../cli/addresses.ts';
import type { Context } from '../../../context.ts';
import { encodeIpcacheKey, ipcacheValueText, withIpcache } from './map.ts';

/** Declares `bpf ipcache get`. */
export function addBpfIpcacheGetCommand(command: Command, ctx: Context): void {
  command.argument('<ip>').action((ip: string) => runBpfIpcacheGet(ip, ctx));
}

/** Prints the identity that the datapath gives an address: that of its longest prefix. */
export async function runBpfIpcacheGet(text: string, ctx: Context): Promise<void> {
  const address = addressArgument(text);
  const found = await withIpcache(ctx, (map) => {
    // The map itself matches the longest prefix: the key of a single address finds it.
    const value = map.lookup(encodeIpcacheKey(address));
    return value && ipcacheValueText(map, value);
  });
  if (found === undefined) {
    await ctx.out.write(`${text} does not map to any identity\n`);
    ctx.exitCode = 1;
    return;
  }
  await ctx.out.write(`${text} maps to identity ${found}\n`);
}
