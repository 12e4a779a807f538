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
  const { bpfRoot } = ctx.globals;
  const present: string[] = [];
  for (const name of table.maps) {
    using map = openGlobal(bpfRoot, name, { write: !options.dryRun });
    if (map) present.push(name);
    else await sayMissing(ctx, globalPath(bpfRoot, name), name, table.maps === GLOBAL_TABLE);
  }
  if (present.length === 0) return;
  if (!(await mayWrite(ctx, `delete all entries of ${present.join(', ')}`, options))) return;
  for (const name of present) {
    using map = openGlobal(bpfRoot, name, { write: true });
    if (map)
      await ctx.out.write(`Flushed ${await flushMap(map)} entries from ${globalPath(bpfRoot, name)}\n`);
  }
}
