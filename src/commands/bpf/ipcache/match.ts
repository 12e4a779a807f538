import type { Command } from 'commander';
import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { entriesOf, walk } from '../../../bpf/kernel/reader.ts';
import { ipcacheKey } from '../../../bpf/layouts/structs.ts';
import { ipcacheKeyText } from '../../../bpf/layouts/texts.ts';
import { prefixArgument } from '../../../cli/addresses.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { encodeIpcacheKey, ipcacheValueText, withIpcache } from './map.ts';

/** Declares `bpf ipcache match`. */
export function addBpfIpcacheMatchCommand(command: Command, ctx: Context): void {
  command.argument('<prefix>').action((prefix: string) => runBpfIpcacheMatch(prefix, ctx));
}

/** Prints the entry of exactly this prefix. */
export async function runBpfIpcacheMatch(text: string, ctx: Context): Promise<void> {
  const key = encodeIpcacheKey(prefixArgument(text));
  const name = ipcacheKeyText(ipcacheKey.decode(key));
  const value = await withIpcache(ctx, (map) => exactValue(map, key));
  if (value === undefined) throw new UserError(`no entry of the ipcache has the prefix ${name}`);
  await ctx.out.write(`key ${name} has value "${value}"\n`);
}

/** The entry of exactly this key, in words. A look-up would find shorter prefixes too. */
export async function exactValue(map: BpfMap, key: Buffer): Promise<string | undefined> {
  for await (const batch of walk(map))
    for (const entry of entriesOf(batch))
      if (entry.key.equals(key)) return ipcacheValueText(map, entry.value);
  return undefined;
}
