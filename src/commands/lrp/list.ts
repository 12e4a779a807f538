import type { Command } from 'commander';
import { listRedirects } from '../../agent/decode/lrp.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import { addWatchOptions, printAnswers, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { redirectTable } from '../../render/agent/lrp.ts';

interface LrpListOptions extends OutputFlag, WatchFlags {}

/** Declares `lrp list`. */
export function addLrpListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: LrpListOptions) => runLrpList(options, ctx));
  addWatchOptions(command);
}

async function runLrpList(options: LrpListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  await printAnswers(
    ctx,
    options,
    () => listRedirects(agent).catch(failed('Cannot get lrp list')),
    redirectTable,
  );
}
