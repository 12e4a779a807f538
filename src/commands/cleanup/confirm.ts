import { readAnswer } from '../../cli/stdin.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/**
 * Asks before something that cannot simply be taken back. In a terminal the answer is the node's name; a script that
 * pipes `y` into the reference's prompt keeps working.
 */
export async function confirm(node: string, ctx: Context): Promise<boolean> {
  const wanted = ctx.in.isTTY ? [node] : [node, 'y'];
  await ctx.err.write(`Type the name of this node (${node}) to go on: `);
  const answer = await readAnswer(ctx);
  if (answer === undefined && !ctx.in.isTTY)
    throw new UserError('nothing was removed: there is no terminal to ask', {
      hint: 'Use --force to go on without asking, --dry-run to see the plan.',
    });
  return wanted.includes(answer ?? '');
}
