import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { byName, nodesTable } from '../../../render/hubble/lists.ts';
import { hubbleList } from './list.ts';

/** Declares `hubble list nodes`. */
export function addHubbleListNodesCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble list nodes', 'hubble list nodes -o wide'));
  const fetch = async () => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    const { nodes = [] } = await client.call('/observer.Observer/GetNodes', {});
    return nodes;
  };
  hubbleList(command, ctx, async () => byName(await fetch()), nodesTable);
}
