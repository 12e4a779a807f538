import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { withKvstore } from '../../cli/kvstore.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/** Declares `kvstore delete`. */
export function addKvstoreDeleteCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium kvstore delete --recursive cilium/key'))
    .argument('[key]', 'the key, or with --recursive a prefix of keys')
    .option('--recursive', 'Delete all keys that begin with the key')
    .action((key: string | undefined, options: { recursive?: boolean }) => {
      if (!key) throw new UserError('Please specify a key or key prefix to delete');
      const recursive = options.recursive === true;
      return withKvstore(ctx, command, async (kvstore) => {
        const check = `cilium kvstore get ${recursive ? '--recursive ' : ''}${key}`;
        const deleted = await kvstore
          .delete(key, recursive)
          .catch(writeFailed(recursive ? 'Unable to delete keys' : 'Unable to delete key', check));
        if (deleted === 0) await ctx.err.write(`Note: there was no key ${JSON.stringify(key)}.\n`);
        else if (recursive) await ctx.err.write(`Deleted ${deleted} keys.\n`);
      });
    });
}
