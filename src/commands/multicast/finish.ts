import type { Said, Silent } from '../../cli/kube/each-agent.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/** What was done on a node in words, and why it went no further. */
export interface Done {
  text: string;
  why?: string;
}

/** Prints what was done on each node; an error where something was not. */
export async function finishWrite(
  { said, silent }: { said: readonly Said<Done>[]; silent: readonly Silent[] },
  unable: string,
  ctx: Context,
): Promise<void> {
  for (const { value } of said) await ctx.out.write(value.text);
  const undone = [
    ...said.flatMap(({ node, value: { why } }) => (why === undefined ? [] : [`${node}: ${why}`])),
    ...silent.map(({ node, why }) => `${node}: ${why}`),
  ];
  if (undone.length > 0)
    throw new UserError(`${unable}: ${undone.join('\n')}`, {
      hint: 'Run it again when that is mended: what is there already stays as it is.',
    });
}
