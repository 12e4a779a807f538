import type { Command } from 'commander';
import { listRecorderMasks, listRecorders } from '../../agent/decode/recorder.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderMasks, renderRecorders } from '../../render/agent/recorder.ts';

/** Declares `recorder list`. */
export function addRecorderListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium recorder list'));
  command.addOption(outputOption()).action((options: OutputFlag) => runRecorderList(options, ctx));
}

/** Recorders, then the masks they share: with -o two documents, as the reference prints them. */
async function runRecorderList(options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const recorders = await listRecorders(agent).catch(failed('Cannot get recorder list'));
  if (options.output) await writeAnswer(ctx, options.output, recorders);
  else await ctx.out.write(renderRecorders(recorders.decode()));
  const masks = await listRecorderMasks(agent).catch(failed('Cannot get recorder mask list'));
  if (options.output) await writeAnswer(ctx, options.output, masks);
  else await ctx.out.write(renderMasks(masks.decode()));
}
