import type { Command } from 'commander';
import { deleteRecorder } from '../../agent/decode/recorder.ts';
import { examples } from '../../cli/flags.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { recorderIdArgument } from './argument.ts';

/** Declares `recorder delete`. */
export function addRecorderDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium recorder delete 1'));
  command.argument('[recorder]', 'number of the recorder').action(async (recorder: string | undefined) => {
    const id = recorderIdArgument(command, recorder);
    const agent = await ctx.agent();
    await deleteRecorder(agent, id).catch(
      writeFailed(`Cannot delete recorder ${id}`, 'cilium recorder list'),
    );
  });
}
