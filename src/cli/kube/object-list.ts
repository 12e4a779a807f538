import { type Command, Option } from 'commander';
import type { LISTED } from '../../cluster/kinds.ts';
import type { Context } from '../../context.ts';
import { outputOption } from '../output.ts';
import type { AddCommand } from '../tree.ts';
import { addWatchOptions } from '../watch.ts';
import { type ClusterListFlags, LIST_FORMATS } from './target.ts';

/** Declares a verb that lists the objects of one kind of Cilium's, which no agent knows. */
export function objectList(kind: keyof typeof LISTED): AddCommand {
  return (command: Command, ctx: Context) => {
    command
      .addOption(outputOption(...LIST_FORMATS))
      .addOption(new Option('-A, --all-namespaces', 'List the objects of all namespaces'))
      .addOption(new Option('-l, --selector <labels>', 'Only objects with these labels, such as app=web'))
      .action(async (flags: ClusterListFlags) => {
        const { printObjects } = await import('./cluster-list.ts');
        await printObjects(command, kind, flags, ctx);
      });
    addWatchOptions(command);
  };
}
