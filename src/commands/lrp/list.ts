import type { Command } from 'commander';
import { listRedirects } from '../../agent/decode/lrp.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { redirectTable } from '../../render/agent/lrp.ts';

/** Declares `lrp list`. */
export function addLrpListCommand(command: Command, ctx: Context): void {
  command
    .addOption(outputOption())
    .action((options: ListFlags) =>
      printAnswers(ctx, options, listRedirects, 'Cannot get lrp list', redirectTable),
    );
  addWatchOptions(command);
}
