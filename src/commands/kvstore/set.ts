import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { withKvstore } from '../../cli/kvstore.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/** Declares `kvstore set`. */
export function addKvstoreSetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium kvstore set --key cilium/key --value value'))
    .option('--key <key>', 'Key', '')
    .option('--value <value>', 'Value', '')
    .action((options: { key: string; value: string }) => {
      const { key, value } = options;
      if (key === '') throw new UserError('--key attribute required');
      return withKvstore(ctx, command, async (kvstore) => {
        const again = `cilium kvstore get ${key}`;
        await kvstore.put(key, value).catch(writeFailed('Unable to set key', again));
        const now = await kvstore.get(key).catch(() => undefined);
        if (now && now.value.toString() !== value)
          await ctx.err.write(`Note: ${JSON.stringify(key)} has been changed by somebody else already.\n`);
      });
    });
}
