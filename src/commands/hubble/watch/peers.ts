import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { untilAborted } from '../../../lib/until-aborted.ts';
import { renderPeerChange } from '../../../render/hubble/lists.ts';

/** Declares `hubble watch peers`. */
export function addHubbleWatchPeersCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble watch peers'));
  command.action(async () => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    for await (const change of untilAborted(client.stream('/peer.Peer/Notify', {}), ctx.signal))
      await ctx.out.write(renderPeerChange(change));
  });
}
