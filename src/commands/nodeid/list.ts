import type { Command } from 'commander';
import { listNodeIds } from '../../agent/decode/nodes.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { nodeIdTable } from '../../render/agent/node.ts';

/** Declares `nodeid list`. */
export function addNodeIdListCommand(command: Command, ctx: Context): void {
  command
    .addOption(outputOption())
    .action((options: ListFlags) =>
      printAnswers(ctx, options, listNodeIds, 'Cannot get node ID list', nodeIdTable),
    );
  addWatchOptions(command);
}
