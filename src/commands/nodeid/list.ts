import type { Command } from 'commander';
import { listNodeIds } from '../../agent/decode/nodes.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import { addWatchOptions, printAnswers, type WatchFlags } from '../../cli/watch.ts';
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
  const ask = () => listNodeIds(agent).catch(failed('Cannot get node ID list'));
  await printAnswers(ctx, options, ask, nodeIdTable);
}
