import type { Command } from 'commander';
import { printPairs } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../../cli/list.ts';
import type { Context } from '../../../../context.ts';
import { MAGLEV_TITLES, maglevPairs } from './tables.ts';

/** Declares `bpf lb maglev list`. */
export function addBpfLbMaglevListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf lb maglev list'));
  listVerb(command, ctx, runBpfLbMaglevList);
}

/** Prints which backend each slot of a service's table leads to. */
export async function runBpfLbMaglevList(options: ListFlags, ctx: Context): Promise<void> {
  await printPairs(ctx, MAGLEV_TITLES, await maglevPairs(ctx), { ...options, quietWhenEmpty: true });
}
