import type { Command } from 'commander';
import { decodeRedirects } from '../../agent/decode/lrp.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
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
  const fetch = () => agent.get('/lrp').catch(failed('Cannot get lrp list'));
  if (options.output) return writeStructured(ctx, options.output, await fetch(), 'LRPSpec[]');
  await printList(ctx, options, async () => redirectTable(decodeRedirects(await fetch())));
}
