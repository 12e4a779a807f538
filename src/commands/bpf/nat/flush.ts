import type { Command } from 'commander';
import { globalPath } from '../../../bpf/kernel/pins.ts';
import { flushTables } from '../../../cli/bpf/flush.ts';
import { type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { natMaps, sayMissing } from './maps.ts';

/** Declares `bpf nat flush`. */
export function addBpfNatFlushCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf nat flush --dry-run'));
  writeFlags(command.argument('[table...]', 'cluster <id> (default: the global table)')).action(
    (words: string[], options: WriteOptions) => runBpfNatFlush(words, options, ctx),
  );
}

/** Forgets translations: replies to masqueraded connections no longer find their way back. */
export async function runBpfNatFlush(words: string[], options: WriteOptions, ctx: Context): Promise<void> {
  const missing = (name: string) => sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
  await flushTables(ctx, natMaps(words), missing, options);
}
