import type { Command } from 'commander';
import { hasKey } from '../../../bpf/kernel/reader.ts';
import { IPCACHE } from '../../../bpf/layouts/ipcache.ts';
import { decode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import { prefixArgument } from '../../../cli/addresses.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples, integer } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { ipcacheKeyText } from '../../../render/bpf/ipcache.ts';
import { encodeIpcacheKey } from './map.ts';

interface IpcacheDeleteOptions extends WriteOptions {
  clusterid: number;
}

/** Declares `bpf ipcache delete`. */
export function addBpfIpcacheDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ipcache delete 10.244.0.85/32 --dry-run'));
  writeFlags(
    command.argument('<prefix>', 'prefix such as 10.244.0.85/32').addOption(
      integer('--clusterid <number>', 'ID of the cluster that the prefix belongs to', {
        min: 0,
        max: 0xffff,
      }).default(0),
    ),
  ).action((prefix: string, options: IpcacheDeleteOptions) => runBpfIpcacheDelete(prefix, options, ctx));
}

/** Deletes one entry of the ipcache: its addresses fall back to the next shorter prefix. */
export async function runBpfIpcacheDelete(
  text: string,
  options: IpcacheDeleteOptions,
  ctx: Context,
): Promise<void> {
  const prefix = prefixArgument(text);
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE, { write: !options.dryRun });
  const release = options.clusterid === 0 ? undefined : await mapsRelease(ctx, IPCACHE);
  const { key: layout } = requireVariant(map, IPCACHE, release);
  const key = encodeIpcacheKey(prefix, options.clusterid, layout);
  const name = ipcacheKeyText(decode(layout, key));
  if (!(await hasKey(map, key)))
    throw new UserError(`Error deleting entry ${name}: no entry has this prefix`);
  if (!(await mayWrite(ctx, `delete the entry ${name}`, options))) return;
  map.delete(key);
  await ctx.out.write(`Deleted entry ${name}\n`);
}
