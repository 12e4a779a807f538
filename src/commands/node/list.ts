import type { Command } from 'commander';
import { listNodes } from '../../agent/decode/nodes.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addClusterListFlags, type ClusterListFlags, meansObjects } from '../../cli/kube/target.ts';
import { addListOptions, type ListFlags, printList } from '../../cli/list.ts';
import { isStructured, LIST_FORMATS, type OutputFlag, outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { nodeTable } from '../../render/agent/node.ts';

interface NodeListOptions extends OutputFlag, ListFlags, ClusterListFlags {}

/** Declares `node list`. */
export function addNodeListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium node list',
      'cilium node list --cluster -o wide',
      'cilium node list --watch --interval 5s',
    ),
  );
  command.addOption(outputOption(...LIST_FORMATS));
  addListOptions(command);
  addClusterListFlags(command);
  command.action(async (options: NodeListOptions) => {
    if (!(await meansObjects(options, ctx))) return runNodeList(options, ctx);
    const { printObjects } = await import('../../cli/kube/cluster-list.ts');
    await printObjects(command, 'node', options, ctx);
  });
}

async function runNodeList(options: NodeListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const ask = () => listNodes(agent).catch(failed('Cannot get the list of nodes'));
  if (isStructured(options.output)) {
    const answer = await ask();
    return answer.document === undefined ? undefined : writeAnswer(ctx, options.output, answer);
  }
  await printList(ctx, options, async () => nodeTable((await ask()).decode().nodes));
}
