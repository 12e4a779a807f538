import type { Command } from 'commander';
import { printPairs } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../../cli/list.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { MAGLEV_TITLES, maglevPairs, NO_MAGLEV } from './tables.ts';

/** Declares `bpf lb maglev list`. */
export function addBpfLbMaglevListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf lb maglev list'));
  listVerb(command, ctx, runBpfLbMaglevList);
}

/** Prints which backend each slot of a service's table leads to. */
export async function runBpfLbMaglevList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs = await maglevPairs(ctx);
  if (!pairs)
    throw new UserError(NO_MAGLEV, {
      hint: 'The agent pins them with bpf-lb-algorithm=maglev, or when services choose the algorithm.',
    });
  await printPairs(ctx, MAGLEV_TITLES, pairs, { ...options, quietWhenEmpty: true });
}
