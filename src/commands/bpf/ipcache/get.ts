import type { Command } from 'commander';
import { IPCACHE } from '../../../bpf/layouts/ipcache.ts';
import { requirePinned } from '../../../bpf/maps/records.ts';
import { addressArgument } from '../../../cli/addresses.ts';
import { NO_ENTRIES } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { type AddressRange, contains, parsePrefix, unmapped } from '../../../lib/address.ts';
import { encodeIpcacheKey, ipcacheValueText, isEmpty, recordedIpcache } from './map.ts';

/** Declares `bpf ipcache get`. */
export function addBpfIpcacheGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ipcache get 10.244.0.85'));
  command
    .argument('<ip>', 'address of a pod, a node or the world')
    .action((ip: string) => runBpfIpcacheGet(ip, ctx));
}

/** Prints the identity that the datapath gives an address: that of its longest prefix. */
export async function runBpfIpcacheGet(text: string, ctx: Context): Promise<void> {
  const address = unmapped(addressArgument(text));
  const value = ctx.globals.archive ? await recordedValue(ctx, address) : await pinnedValue(ctx, address);
  if (value === undefined) {
    ctx.exitCode = 1;
    if (await isEmpty(ctx)) return await ctx.err.write(NO_ENTRIES);
    await ctx.out.write(`${text} does not map to any identity\n`);
    return;
  }
  await ctx.out.write(`${text} maps to identity ${value}\n`);
}

/** The map itself matches the longest prefix: the key of a single address finds it. */
async function pinnedValue(ctx: Context, address: AddressRange): Promise<string | undefined> {
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE);
  const raw = map.lookup(encodeIpcacheKey(address));
  return raw && (await ipcacheValueText(ctx, map, raw));
}

async function recordedValue(ctx: Context, address: AddressRange): Promise<string | undefined> {
  let best: { length: number; value: string | undefined } | undefined;
  for (const [key, [value]] of await recordedIpcache(ctx)) {
    const prefix = parsePrefix(key);
    if (prefix && contains(prefix, address) && prefix.length >= (best?.length ?? 0))
      best = { length: prefix.length, value };
  }
  return best?.value;
}
