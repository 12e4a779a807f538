import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { flushMap } from '../../../bpf/maps/flush.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { conntrackTable, GLOBAL_TABLE, sayMissing } from './maps.ts';

/** Declares `bpf ct flush`. */
export function addBpfCtFlushCommand(command: Command, ctx: Context): void {
  writeFlags(command.argument('[table...]', 'global (default), endpoint <id> or cluster <id>')).action(
    (words: string[], options: WriteOptions) => runBpfCtFlush(words, options, ctx),
  );
}

/** Forgets connections: replies of those that only the entry lets through are dropped. */
export async function runBpfCtFlush(words: string[], options: WriteOptions, ctx: Context): Promise<void> {
  const table = conntrackTable(words);
  if ('wrong' in table) return await ctx.err.write(`Invalid argument: ${table.wrong}`);
  const what = `delete all entries of ${table.maps.join(', ')}`;
  if (!(await mayWrite(ctx, what, options))) return;
  for (const name of table.maps) {
    const path = globalPath(ctx.globals.bpfRoot, name);
    using map = openGlobal(ctx.globals.bpfRoot, name, { write: true });
    if (!map) await sayMissing(ctx, path, name, table.maps === GLOBAL_TABLE);
    else await ctx.out.write(`Flushed ${await flushMap(map)} entries from ${path}\n`);
  }
}
