import type { Context } from '../context.ts';
import { readAnswer } from './stdin.ts';

/** Asks on stdout and reads one line of stdin. Only `y` is a yes; an ended input is a no. */
export async function confirm(ctx: Context, question = 'Do you want to continue? [y/N]? '): Promise<boolean> {
  await ctx.out.write(question);
  return (await readAnswer(ctx)) === 'y';
}
