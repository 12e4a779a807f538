import type { Command } from 'commander';
import { completionScript, SHELLS, shellOf } from '../../cli/completion/scripts.ts';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';

/** Declares `hubble completion`. */
export function addHubbleCompletionCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'source <(hubble completion bash)',
        'hubble completion install',
        'hubble completion install zsh --dry-run',
      ),
    )
    .usage(`[${SHELLS.join('|')}]`)
    .argument('[shell]', 'the shell', 'bash')
    .action(async (shell: string) => {
      await ctx.out.write(completionScript(shellOf(shell)));
    });
}
