import type { Command } from 'commander';
import { decodeRecorders, recorderApiGone } from '../../agent/decode/recorder.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { renderRecorders } from '../../render/agent/recorder.ts';
import { recorderIdArgument } from './argument.ts';

/** Declares `recorder get`. */
export function addRecorderGetCommand(command: Command, ctx: Context): void {
  command
    .argument('[recorder]', 'number of the recorder')
    .addOption(outputOption())
    .action((recorder: string | undefined, options: OutputFlag) =>
      runRecorderGet(recorderIdArgument(command, recorder), options, ctx),
    );
}

async function runRecorderGet(id: number, options: OutputFlag, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const recorder = await agent
    .get('/recorder/{id}', { path: { id } })
    .catch(recorderApiGone)
    .catch(failed(`Cannot get recorder '${id}'`));
  if (options.output) return writeStructured(ctx, options.output, recorder, 'Recorder');
  const rows = decodeRecorders([recorder]);
  if (rows.length === 0) throw new UserError(`Cannot get recorder '${id}': empty response`);
  await ctx.out.write(renderRecorders(rows));
}
