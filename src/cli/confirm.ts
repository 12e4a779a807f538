import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { readAnswer } from './stdin.ts';

/** How the reference asks before what cannot be taken back. */
const NON_REVERTIBLE = 'The command is non-revertible, do you want to continue [y/N]?\n';

/** Asks on stdout and reads one line of stdin. Only `y` is a yes; an ended input is a no. */
export async function confirm(ctx: Context, question = NON_REVERTIBLE): Promise<boolean> {
  await ctx.out.write(question);
  return (await readAnswer(ctx)) === 'y';
}

/**
 * Asks before something that cannot simply be taken back. In a terminal the answer is the node's name; a script that
 * pipes `y` into the reference's prompt keeps working.
 */
export async function confirmNode(
  ctx: Context,
  node: string,
  done: 'removed' | 'restored' = 'removed',
): Promise<boolean> {
  const wanted = ctx.in.isTTY ? [node] : [node, 'y'];
  await ctx.err.write(`Type the name of this node (${node}) to go on: `);
  const answer = await readAnswer(ctx);
  if (answer === undefined && !ctx.in.isTTY)
    throw new UserError(`nothing was ${done}: there is no terminal to ask`, {
      hint: 'Use --force to go on without asking, --dry-run to see the plan.',
    });
  return wanted.includes(answer ?? '');
}

/** Flags of a verb that asks before it changes something. */
export interface WriteOptions {
  dryRun?: boolean;
  yes?: boolean;
}

/** Adds the flags of a verb that asks before it changes something. */
export function writeFlags(command: Command): Command {
  return command
    .option('--dry-run', 'Print what would be done, and change nothing')
    .option('-y, --yes', 'Do not ask for confirmation');
}

/**
 * Whether to go on. With --dry-run says what would be done. In a terminal asks; where nobody can be asked it goes on,
 * as the reference always does.
 */
export async function mayWrite(ctx: Context, what: string, options: WriteOptions): Promise<boolean> {
  if (options.dryRun) {
    await ctx.out.write(`Would ${what}.\n`);
    return false;
  }
  if (options.yes || !ctx.in.isTTY) return true;
  await ctx.err.write(`This will ${what}. Continue? [y/N] `);
  if (/^(y|yes)$/i.test((await readAnswer(ctx)) ?? '')) return true;
  throw new UserError('nothing was changed');
}
