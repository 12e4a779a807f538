import { dialShellPatiently, type ShellAnswer, type ShellConnection } from '../agent/shell.ts';
import type { Context } from '../context.ts';

/** Connects to the agent's shell, telling of each try that fails. */
export function openShell(path: string, ctx: Context): Promise<ShellConnection> {
  const notice = (text: string) => ctx.err.write(`${text}\n`);
  return dialShellPatiently(path, { clock: ctx.clock, signal: ctx.signal, dial: ctx.dial, notice });
}

/**
 * Copies an answer to stdout as it arrives. Returns what the command failed with: the last line of the answer, which is
 * repeated as an error unless that is left to the caller (`bare`).
 */
export async function printAnswer(
  answer: AsyncIterable<ShellAnswer>,
  ctx: Context,
  { bare = false } = {},
): Promise<string | undefined> {
  for await (const { lines, failed } of answer) {
    const again = failed !== undefined && !bare ? `error: ${failed}\n` : '';
    await ctx.out.write(lines.toString('utf8') + again);
    if (failed !== undefined) return failed;
  }
  return undefined;
}
