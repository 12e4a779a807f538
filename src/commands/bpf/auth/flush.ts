import type { Command } from 'commander';
import { AUTH } from '../../../bpf/layouts/policy.ts';
import { flushMap, requireOwnSizes } from '../../../bpf/maps/flush.ts';
import { openPinned } from '../../../bpf/maps/records.ts';
import { notice } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import { idleOutputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf auth flush`. */
export function addBpfAuthFlushCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf auth flush --dry-run'));
  writeFlags(command.addOption(idleOutputOption())).action((options: WriteOptions) =>
    runBpfAuthFlush(options, ctx),
  );
}

/** Deletes all authentications: traffic that needs one is dropped until it is repeated. */
export async function runBpfAuthFlush(options: WriteOptions, ctx: Context): Promise<void> {
  using map = openPinned(ctx.globals.bpfRoot, AUTH, { write: !options.dryRun });
  if (!map) return await notice(ctx, 'Cannot find auth bpf map');
  requireOwnSizes(map);
  if (await mayWrite(ctx, 'delete all entries of cilium_auth_map', options))
    await ctx.out.write(`Flushed ${await flushMap(map)} entries\n`);
}
