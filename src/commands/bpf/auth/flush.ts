import type { Command } from 'commander';
import { flushMap } from '../../../bpf/maps/flush.ts';
import { notice, withGlobal } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf auth flush`. */
export function addBpfAuthFlushCommand(command: Command, ctx: Context): void {
  writeFlags(command).action((options: WriteOptions) => runBpfAuthFlush(options, ctx));
}

/** Deletes all authentications: traffic that needs one is dropped until it is repeated. */
export async function runBpfAuthFlush(options: WriteOptions, ctx: Context): Promise<void> {
  const done = await withGlobal(
    ctx,
    'cilium_auth_map',
    async (map) => {
      if (await mayWrite(ctx, 'delete all entries of cilium_auth_map', options))
        await ctx.out.write(`Flushed ${await flushMap(map)} entries\n`);
      return true;
    },
    { write: !options.dryRun },
  );
  if (!done) await notice(ctx, 'Cannot find auth bpf map');
}
