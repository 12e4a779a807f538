import { type Command, Option } from 'commander';
import type { LISTED } from '../../cluster/kinds.ts';
import type { Context } from '../../context.ts';
import { examples } from '../flags.ts';
import { addListOptions, type ListFlags } from '../list.ts';
import { LIST_FORMATS, outputOption } from '../output.ts';
import type { AddCommand } from '../tree.ts';
import type { ClusterListFlags } from './target.ts';

/** Declares a verb that lists the objects of one kind of Cilium's, which no agent knows. The lines are examples for its help. */
export function objectList(kind: keyof typeof LISTED, ...lines: readonly string[]): AddCommand {
  return (command: Command, ctx: Context) => {
    command.addHelpText('after', examples(...lines));
    command
      .addOption(outputOption(...LIST_FORMATS))
      .addOption(new Option('-A, --all-namespaces', 'List the objects of all namespaces'))
      .addOption(new Option('-l, --selector <labels>', 'Only objects with these labels, such as app=web'))
      .action(async (flags: ClusterListFlags & ListFlags) => {
        const { printObjects } = await import('./cluster-list.ts');
        await printObjects(command, kind, flags, ctx);
      });
    addListOptions(command);
  };
}
