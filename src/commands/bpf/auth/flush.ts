import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { notice, withGlobal } from '../dump.ts';
import { flushMap } from '../flush.ts';

/** Declares `bpf auth flush`. */
export function addBpfAuthFlushCommand(parent: Command, ctx: Context): Command {
  return writeFlags(
    parent
      .command('flush')
      .description('Deletes all entries for authenticated connections between identities'),
  ).action((options: WriteOptions) => runBpfAuthFlush(options, ctx));
}

/** Deletes all authentications: traffic that needs one is dropped until it is repeated. */
export async function runBpfAuthFlush(options: WriteOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf auth flush', ctx.uid);
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
