import type { Command } from 'commander';
import { listNodeIds } from '../../agent/decode/nodes.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, type ListFlags, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { nodeIdTable } from '../../render/agent/node.ts';

/** Declares `nodeid list`. */
export function addNodeIdListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium nodeid list'));
  command
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: ListFlags) =>
      printAnswers(ctx, options, listNodeIds, 'Cannot get node ID list', async (rows) =>
        nodeIdTable(rows, await releaseOfForms(ctx)),
      ),
    );
  addListOptions(command);
}
