import type { Command } from 'commander';
import { globalPath } from '../../../bpf/kernel/pins.ts';
import { flushTables } from '../../../cli/bpf/flush.ts';
import { type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { conntrackTable, GLOBAL_TABLE, natOf, requireTable, sayMissing } from './maps.ts';

/** Declares `bpf ct flush`. */
export function addBpfCtFlushCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ct flush --dry-run', 'cilium bpf ct flush endpoint 637'));
  writeFlags(command.argument('[table...]', 'global (default), endpoint <id or pod> or cluster <id>')).action(
    (words: string[], options: WriteOptions) => runBpfCtFlush(words, options, ctx),
  );
}

/** Forgets connections: replies of those that only the entry lets through are dropped. */
export async function runBpfCtFlush(words: string[], options: WriteOptions, ctx: Context): Promise<void> {
  await requireTable(words, ctx);
  const table = await conntrackTable(words, ctx);
  if ('wrong' in table) return await ctx.err.write(`Invalid argument: ${table.wrong}`);
  const missing = (name: string) =>
    sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name), name, table.maps === GLOBAL_TABLE);
  await flushTables(ctx, table.maps, missing, options, natOf);
}
