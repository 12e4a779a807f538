import type { Command } from 'commander';
import { printPairs } from '../../../../cli/bpf/maps.ts';
import { examples } from '../../../../cli/flags.ts';
import { type ListFlags, listVerb } from '../../../../cli/list.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { MAGLEV_TITLES, maglevPairs, recordedMaglev } from './tables.ts';

/** Declares `bpf lb maglev get`, which agents up to 1.17 had. */
export function addBpfLbMaglevGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf lb maglev get 1'));
  listVerb(command.argument('<service id>', 'number of the service'), ctx, (flags, here) =>
    runBpfLbMaglevGet(command.args[0] ?? '', flags, here),
  );
}

/** Prints the table of one service. */
export async function runBpfLbMaglevGet(text: string, options: ListFlags, ctx: Context): Promise<void> {
  const id = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= 0xffff))
    throw new UserError(`Unable to parse ${text}: a service id is a number between 0 and 65535`);
  const pairs = ctx.globals.archive ? await recordedMaglev(ctx, id) : await maglevPairs(ctx, id);
  if (pairs.size === 0) throw new UserError(`No entry found for service ${id}`);
  await printPairs(ctx, MAGLEV_TITLES, pairs, options);
}
