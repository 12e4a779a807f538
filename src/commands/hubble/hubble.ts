import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';
import { VERSION } from '../../version.ts';

/** Declares `hubble` itself, which prints its version or its help. */
export function addHubbleCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'hubble status',
      'hubble observe --follow --namespace shop',
      'hubble observe --since 5m --verdict DROPPED -o json',
    ),
  );
  command.usage('[command]').argument('[words...]').option('-v, --version', 'Print the version');
  command.action(async (words: readonly string[], options: { version?: boolean }) => {
    // The reference ends this one line as Windows does; scripts that compare it rely on that.
    if (options.version) return ctx.out.pass(Buffer.from(`hubble ${VERSION}\r\n`));
    if (words[0] !== undefined) {
      const names = command.commands.map((verb) => verb.name());
      const near = nearest(words[0], names);
      throw new UsageError(`unknown command "${words[0]}" for "hubble"`, {
        hint: near ? `Did you mean "hubble ${near}"?` : 'Run "hubble --help" for the list of commands.',
      });
    }
    command.outputHelp();
  });
}
