import type { Command } from 'commander';
import { readRecorder } from '../../agent/decode/recorder.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { renderRecorders } from '../../render/agent/recorder.ts';
import { recorderIdArgument } from './argument.ts';

/** Declares `recorder get`. */
export function addRecorderGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium recorder get 1 -o json'));
  command
    .argument('[recorder]', 'number of the recorder')
    .addOption(outputOption())
    .action((recorder: string | undefined, options: OutputFlag) =>
      runRecorderGet(recorderIdArgument(command, recorder), options, ctx),
    );
}

async function runRecorderGet(id: number, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const answer = await readRecorder(agent, id).catch(failed(`Cannot get recorder '${id}'`));
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(renderRecorders([answer.decode()]));
}
