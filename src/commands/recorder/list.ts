import type { Command } from 'commander';
import { decodeMasks, decodeRecorders, recorderApiGone } from '../../agent/decode/recorder.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderMasks, renderRecorders } from '../../render/agent/recorder.ts';

/** Declares `recorder list`. */
export function addRecorderListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runRecorderList(options, ctx));
}

/** Recorders, then the masks they share: with -o two documents, as the reference prints them. */
async function runRecorderList(options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const recorders = await agent
    .get('/recorder')
    .catch(recorderApiGone)
    .catch(failed('Cannot get recorder list'));
  if (options.output) await writeStructured(ctx, options.output, recorders, 'Recorder[]');
  else await ctx.out.write(renderRecorders(decodeRecorders(recorders)));
  const masks = await agent.get('/recorder/masks').catch(failed('Cannot get recorder mask list'));
  if (options.output) await writeStructured(ctx, options.output, masks, 'RecorderMask[]');
  else await ctx.out.write(renderMasks(decodeMasks(masks)));
}
