import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../bpf/kernel/pins.ts';
import { flushMap } from '../../../bpf/maps/flush.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { natMaps, sayMissing } from './maps.ts';

/** Declares `bpf nat flush`. */
export function addBpfNatFlushCommand(command: Command, ctx: Context): void {
  writeFlags(command.argument('[table...]', 'cluster <id> (default: the global table)')).action(
    (words: string[], options: WriteOptions) => runBpfNatFlush(words, options, ctx),
  );
}

/** Forgets translations: replies to masqueraded connections no longer find their way back. */
export async function runBpfNatFlush(words: string[], options: WriteOptions, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  const present: string[] = [];
  for (const name of natMaps(words)) {
    using map = openGlobal(bpfRoot, name, { write: !options.dryRun });
    if (map) present.push(name);
    else await sayMissing(ctx, globalPath(bpfRoot, name));
  }
  if (present.length === 0) return;
  if (!(await mayWrite(ctx, `delete all entries of ${present.join(', ')}`, options))) return;
  for (const name of present) {
    using map = openGlobal(bpfRoot, name, { write: true });
    if (map)
      await ctx.out.write(`Flushed ${await flushMap(map)} entries from ${globalPath(bpfRoot, name)}\n`);
  }
}
