import type { Context } from '../context.ts';

/** Asks on stdout and reads one line of stdin. Only `y` is a yes; an ended input is a no. */
export async function confirm(ctx: Context, question = 'Do you want to continue? [y/N]? '): Promise<boolean> {
  await ctx.out.write(question);
  let text = '';
  for await (const chunk of ctx.in) {
    text += Buffer.from(chunk).toString();
    if (text.includes('\n')) break;
  }
  return text.split('\n')[0]?.trim() === 'y';
}
