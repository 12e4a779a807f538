import type { Command } from 'commander';
import { printPairs } from '../../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../../cli/output.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { MAGLEV_TITLES, maglevPairs, NO_MAGLEV } from './tables.ts';

/** Declares `bpf lb maglev list`. */
export function addBpfLbMaglevListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfLbMaglevList(options, ctx));
}

/** Prints which backend each slot of a service's table leads to. */
export async function runBpfLbMaglevList(options: OutputFlag, ctx: Context): Promise<void> {
  const pairs = await maglevPairs(ctx);
  if (!pairs)
    throw new UserError(NO_MAGLEV, {
      hint: 'The agent pins them with bpf-lb-algorithm=maglev, or when services choose the algorithm.',
    });
  await printPairs(ctx, MAGLEV_TITLES, pairs, { ...options, quietWhenEmpty: true });
}
