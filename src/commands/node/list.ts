import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { ClusterNodeStatus } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { nodeTable } from '../../render/agent/node.ts';

interface NodeListOptions extends OutputFlag, WatchFlags {}

/** Declares `node list`. */
export function addNodeListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: NodeListOptions) => runNodeList(options, ctx));
  addWatchOptions(command);
}

async function runNodeList(options: NodeListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/cluster/nodes').catch(failed('Cannot get the list of nodes'));
  if (options.output) {
    const added = (await fetch())?.['nodes-added'];
    return added ? writeStructured(ctx, options.output, added, 'NodeElement[]') : undefined;
  }
  await printList(ctx, options, async () => {
    const nodes = new Reader<ClusterNodeStatus>('GET /cluster/nodes', await fetch())
      .at('nodes-added')
      .items();
    return nodeTable(
      nodes.map((node) => {
        const { ipv4, ipv6 } = {
          ipv4: node.at('primary-address').at('ipv4'),
          ipv6: node.at('primary-address').at('ipv6'),
        };
        return {
          name: node.text('name'),
          ipv4: ipv4.text('ip'),
          ipv4Range: ipv4.text('alloc-range'),
          ipv6: ipv6.text('ip'),
          ipv6Range: ipv6.text('alloc-range'),
          source: node.text('source'),
        };
      }),
    );
  });
}
