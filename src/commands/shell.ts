import { hostname } from 'node:os';
import type { Command } from 'commander';
import { socketPath } from '../agent/client.ts';
import { DEFAULT_SHELL_SOCKET, type ShellConnection } from '../agent/shell.ts';
import { examples } from '../cli/flags.ts';
import { openShell, printAnswer } from '../cli/shell.ts';
import { readStdin } from '../cli/stdin.ts';
import type { Context, LinePrompt } from '../context.ts';
import { SilentExit, UsageError, UserError } from '../errors.ts';

interface ShellOptions {
  shellSockPath: string;
}

/** Declares `shell`. */
export function addShellCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium shell', 'cilium shell db/show health'));
  command

    .argument(
      '[command...]',
      'a command of the shell and its arguments; without one the shell is interactive',
    )
    .option(
      '--shell-sock-path <path>',
      'Path to the shell UNIX socket',
      socketPath(ctx, 'CILIUM_SHELL_SOCK', DEFAULT_SHELL_SOCKET),
    )
    .action((words: string[], options: ShellOptions) => runShell(words, options, ctx));
}

/** Runs one command, or those that the user types, or those of a script on stdin. */
export async function runShell(words: string[], options: ShellOptions, ctx: Context): Promise<void> {
  if (words.length > 0) {
    const command = shellCommand(words);
    using shell = await openShell(options.shellSockPath, ctx);
    // Some commands go on until they are stopped: only who asks for an end gets one.
    if (ctx.globals.timeoutMs) shell.endAfter(ctx.globals.timeoutMs);
    const failed = await printAnswer(shell.runOnce(command), ctx);
    if (failed !== undefined) throw new SilentExit(1);
    return;
  }
  const ask = ctx.in.prompt;
  if (!ask) return runScript(options, ctx);
  await converse(ask, options, ctx);
}

/** One line of the shell's language. */
function shellCommand(words: readonly string[]): string {
  const line = words.join(' ');
  if (/[\n\r]/.test(line))
    throw new UsageError('a shell command is one line; this one contains a line break');
  return line;
}

const GREETING = "Connected to the Cilium agent's shell. Type 'help' for its commands, Ctrl-D to leave.\n\n";

/** A conversation at a terminal. A connection that breaks is opened again for the next command. */
async function converse(
  ask: NonNullable<Context['in']['prompt']>,
  options: ShellOptions,
  ctx: Context,
): Promise<void> {
  let shell = await openShell(options.shellSockPath, ctx);
  await ctx.out.write(GREETING);
  const prompt = await ask(`${hostname()}> `);
  try {
    for (let line = await prompt.next(); line !== undefined; line = await prompt.next()) {
      const command = line.trim();
      if (command === 'exit' || command === 'quit') return;
      if (command === '') continue;
      if (await runTyped(command, shell, prompt, ctx)) continue;
      shell = await openShell(options.shellSockPath, ctx);
    }
    await ctx.out.write('\n');
  } finally {
    prompt.close();
    shell[Symbol.dispose]();
  }
}

/** Runs a typed command; false when the connection is gone. Ctrl-C ends the command, not the session. */
async function runTyped(
  command: string,
  shell: ShellConnection,
  prompt: LinePrompt,
  ctx: Context,
): Promise<boolean> {
  let interrupted = false;
  prompt.onInterrupt = () => {
    interrupted = true;
    shell[Symbol.dispose]();
  };
  try {
    await printAnswer(shell.run(command), ctx);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await ctx.err.write(interrupted ? '^C\n' : `${error.message}\n`);
    return false;
  } finally {
    prompt.onInterrupt = undefined;
    if (interrupted) shell[Symbol.dispose]();
  }
}

/** Commands from a file or a pipe, until one fails. */
async function runScript(options: ShellOptions, ctx: Context): Promise<void> {
  const lines = (await readStdin(ctx)).toString('utf8').split(/\r?\n/);
  const commands = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  using shell = await openShell(options.shellSockPath, ctx);
  for (const command of commands) {
    if (command === 'exit' || command === 'quit') return;
    if ((await printAnswer(shell.run(command), ctx)) !== undefined) throw new SilentExit(1);
  }
}
