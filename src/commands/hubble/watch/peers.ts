import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { renderPeerChange } from '../../../render/hubble/lists.ts';
import { connectHubble } from '../server.ts';
import { readSettings } from '../settings.ts';

/** Declares `hubble watch peers`. */
export function addHubbleWatchPeersCommand(command: Command, ctx: Context): void {
  command.action(async () => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    try {
      for await (const change of client.stream('/peer.Peer/Notify', {}))
        await ctx.out.write(renderPeerChange(change));
    } catch (error) {
      if (!ctx.signal.aborted) throw error;
    }
  });
}
