import type { Command } from 'commander';
import { outputOption } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { type OutputOptions, printPairs } from '../dump.ts';
import { MAGLEV_TITLES, maglevPairs } from './maglev.ts';

/** Declares `bpf lb maglev list`. */
export function addBpfLbMaglevListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputOptions) => runBpfLbMaglevList(options, ctx));
}

/** Prints which backend each slot of a service's table leads to. */
export async function runBpfLbMaglevList(options: OutputOptions, ctx: Context): Promise<void> {
  const pairs = await maglevPairs(ctx);
  if (!pairs)
    throw new UserError('no Maglev map is pinned', {
      hint: 'The agent pins them with bpf-lb-algorithm=maglev, or when services choose the algorithm.',
    });
  await printPairs(ctx, MAGLEV_TITLES, pairs, { ...options, quietWhenEmpty: true });
}
