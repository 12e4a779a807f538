import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { connectHubble } from '../../../cli/hubble/server.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { namespacesTable } from '../../../render/hubble/lists.ts';
import { hubbleList } from './list.ts';

/** Declares `hubble list namespaces`. */
export function addHubbleListNamespacesCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble list namespaces', 'hubble list namespaces -o json'));
  const fetch = async () => {
    await using client = await connectHubble(await readSettings(command, ctx), ctx);
    const { namespaces = [] } = await client.call('/observer.Observer/GetNamespaces', {});
    return namespaces;
  };
  hubbleList(command, ctx, fetch, namespacesTable);
}
