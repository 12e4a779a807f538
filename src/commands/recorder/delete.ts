import type { Command } from 'commander';
import { recorderApiGone } from '../../agent/decode/recorder.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { recorderIdArgument } from './argument.ts';

/** Declares `recorder delete`. */
export function addRecorderDeleteCommand(command: Command, ctx: Context): void {
  command.argument('[recorder]', 'number of the recorder').action(async (recorder: string | undefined) => {
    const id = recorderIdArgument(command, recorder);
    const agent = await ctx.agent();
    await agent
      .delete('/recorder/{id}', { path: { id } })
      .catch(recorderApiGone)
      .catch(writeFailed(`Cannot delete recorder ${id}`, 'cilium recorder list'));
  });
}
