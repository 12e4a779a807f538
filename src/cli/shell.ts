import { dialShellPatiently, type ShellAnswer, type ShellConnection } from '../agent/shell.ts';
import type { Context } from '../context.ts';

/** Connects to the agent's shell, telling of each try that fails. */
export function openShell(path: string, ctx: Context): Promise<ShellConnection> {
  const notice = (text: string) => ctx.err.write(`${text}\n`);
  return dialShellPatiently(path, { clock: ctx.clock, signal: ctx.signal, notice });
}

/** Copies an answer to stdout as it arrives; true when the command failed. */
export async function printAnswer(answer: AsyncIterable<ShellAnswer>, ctx: Context): Promise<boolean> {
  for await (const { lines, failed } of answer) {
    await ctx.out.write(lines.toString('utf8') + (failed === undefined ? '' : `error: ${failed}\n`));
    if (failed !== undefined) return true;
  }
  return false;
}
