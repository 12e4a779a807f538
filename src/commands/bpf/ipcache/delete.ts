import type { Command } from 'commander';
import { ipcacheKey } from '../../../bpf/layouts/structs.ts';
import { ipcacheKeyText } from '../../../bpf/layouts/texts.ts';
import { prefixArgument } from '../../../cli/addresses.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { integer } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { encodeIpcacheKey, withIpcache } from './map.ts';
import { exactValue } from './match.ts';

interface IpcacheDeleteOptions extends WriteOptions {
  clusterid: number;
}

/** Declares `bpf ipcache delete`. */
export function addBpfIpcacheDeleteCommand(command: Command, ctx: Context): void {
  writeFlags(
    command
      .argument('<prefix>')
      .addOption(
        integer('--clusterid <number>', 'Cluster of the prefix', { min: 0, max: 0xffff }).default(0),
      ),
  ).action((prefix: string, options: IpcacheDeleteOptions) => runBpfIpcacheDelete(prefix, options, ctx));
}

/** Deletes one entry of the ipcache: its addresses fall back to the next shorter prefix. */
export async function runBpfIpcacheDelete(
  text: string,
  options: IpcacheDeleteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeIpcacheKey(prefixArgument(text), options.clusterid);
  const name = ipcacheKeyText(ipcacheKey.decode(key));
  await withIpcache(
    ctx,
    async (map) => {
      if ((await exactValue(map, key)) === undefined)
        throw new UserError(`Error deleting entry ${name}: no entry has this prefix`);
      if (!(await mayWrite(ctx, `delete the entry ${name}`, options))) return;
      map.delete(key);
      await ctx.out.write(`Deleted entry ${name}\n`);
    },
    { write: !options.dryRun },
  );
}
