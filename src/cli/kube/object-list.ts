import type { Command } from 'commander';
import { LISTED } from '../../cluster/kinds.ts';
import type { Context } from '../../context.ts';
import type { AddCommand } from '../tree.ts';
import { addObjectListFlags, type ClusterListFlags } from './list-flags.ts';

/** Declares a verb that lists the objects of one kind of Cilium's, which no agent knows. */
export function objectList(kind: keyof typeof LISTED): AddCommand {
  return (command: Command, ctx: Context) => {
    addObjectListFlags(command).action(async (flags: ClusterListFlags) => {
      const { printObjects } = await import('./cluster-list.ts');
      await printObjects(command, LISTED[kind], flags, ctx);
    });
  };
}
