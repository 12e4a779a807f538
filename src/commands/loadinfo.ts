import type { Command } from 'commander';
import { examples } from '../cli/flags.ts';
import type { Context } from '../context.ts';
import { readLoad } from '../node/state/load.ts';
import { renderLoad } from '../render/node/load.ts';

/** Declares `loadinfo`. */
export function addLoadinfoCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium loadinfo'));
  command.action(() => runLoadinfo(ctx));
}

/** Prints how busy this node is. */
export async function runLoadinfo(ctx: Context): Promise<void> {
  await ctx.out.write(renderLoad(await readLoad(ctx.clock.nowMs())));
}
