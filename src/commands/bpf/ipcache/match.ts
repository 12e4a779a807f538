import type { Command } from 'commander';
import { hasKey } from '../../../bpf/kernel/reader.ts';
import { IPCACHE, ipcacheKey } from '../../../bpf/layouts/ipcache.ts';
import { decode } from '../../../bpf/maps/codec.ts';
import { requirePinned } from '../../../bpf/maps/records.ts';
import { prefixArgument } from '../../../cli/addresses.ts';
import { NO_ENTRIES } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { ipcacheKeyText } from '../../../render/bpf/ipcache.ts';
import { encodeIpcacheKey, ipcacheValueText, isEmpty, recordedIpcache } from './map.ts';

/** Declares `bpf ipcache match`. */
export function addBpfIpcacheMatchCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ipcache match 10.244.0.85/32'));
  command
    .argument('<prefix>', 'prefix such as 10.244.0.0/24, as it stands in the map')
    .action((prefix: string) => runBpfIpcacheMatch(prefix, ctx));
}

/** Prints the entry of exactly this prefix. */
export async function runBpfIpcacheMatch(text: string, ctx: Context): Promise<void> {
  const key = encodeIpcacheKey(prefixArgument(text));
  const name = ipcacheKeyText(decode(ipcacheKey, key));
  const value = ctx.globals.archive
    ? (await recordedIpcache(ctx)).get(name)?.[0]
    : await pinnedValue(ctx, key);
  if (value === undefined) {
    ctx.exitCode = 1;
    if (await isEmpty(ctx)) return await ctx.err.write(NO_ENTRIES);
    return await ctx.out.write(`${text} does not match to any ipcache entry\n`);
  }
  await ctx.out.write(`key ${name} has value "${value}"\n`);
}

/** A look-up finds shorter prefixes too: what it finds counts only when the key itself is there. */
async function pinnedValue(ctx: Context, key: Buffer): Promise<string | undefined> {
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE);
  const raw = (await hasKey(map, key)) ? map.lookup(key) : undefined;
  return raw && (await ipcacheValueText(ctx, map, raw));
}
