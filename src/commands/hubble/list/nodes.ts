import type { Command } from 'commander';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { LIST_FORMATS, renderNodes } from '../../../render/hubble/lists.ts';

/** Declares `hubble list nodes`. */
export function addHubbleListNodesCommand(command: Command, ctx: Context): void {
  command.option('-o, --output <format>', `Form of the output: ${LIST_FORMATS.join(', ')}`, 'table');
  command.action(async ({ output }: { output: string }) => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    const { nodes = [] } = await client.call('/observer.Observer/GetNodes', {});
    const text = renderNodes(nodes, output);
    if (text === undefined)
      throw new UserError(`unknown output format: ${output}`, {
        hint: `Known are ${LIST_FORMATS.join(', ')}.`,
      });
    await ctx.out.write(text);
  });
}
