import type { Command } from 'commander';
import { completionScript, SHELLS, shellOf } from '../../cli/completion/scripts.ts';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';

/** Declares `completion`. */
export function addCompletionCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'source <(cilium completion bash)',
        'cilium completion install',
        'cilium completion install zsh --dry-run',
      ),
    )
    .usage(`[${SHELLS.join('|')}]`)
    .argument('[shell]', 'the shell', 'bash')
    .argument('[more...]')
    .action((shell: string, more: string[]) => runCompletion(shell, more, ctx));
}

/** Prints the script; bash is the default. */
export async function runCompletion(shell: string, more: readonly string[], ctx: Context): Promise<void> {
  if (more.length > 0) throw new UsageError('too many arguments; expected only the shell type');
  await ctx.out.write(completionScript(shellOf(shell)));
}
