import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { NodeID } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { nodeIdTable } from '../../render/agent/node.ts';

interface NodeIdListOptions extends OutputFlag, WatchFlags {}

/** Declares `nodeid list`. */
export function addNodeIdListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: NodeIdListOptions) => runNodeIdList(options, ctx));
  addWatchOptions(command);
}

async function runNodeIdList(options: NodeIdListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/node/ids').catch(failed('Cannot get node ID list'));
  if (options.output) return writeStructured(ctx, options.output, await fetch(), 'NodeID[]');
  await printList(ctx, options, async () => {
    const nodes = new Reader<NodeID[]>('GET /node/ids', await fetch()).items();
    return nodeIdTable(nodes.map((node) => ({ id: node.integer('id'), ips: node.texts('ips') })));
  });
}
