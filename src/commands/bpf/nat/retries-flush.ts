import type { Command } from 'commander';
import { globalPath } from '../../../bpf/kernel/pins.ts';
import { index32 } from '../../../bpf/layouts/structs.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { withGlobal } from '../dump.ts';
import { sayMissing } from './maps.ts';
import { RETRIES } from './retries.ts';

/** Declares `bpf nat retries flush`. */
export function addBpfNatRetriesFlushCommand(parent: Command, ctx: Context): Command {
  return writeFlags(parent.command('flush').description('Reset the NAT retries histogram')).action(
    (options: WriteOptions) => runBpfNatRetriesFlush(options, ctx),
  );
}

/** Sets the histograms back to zero. */
export async function runBpfNatRetriesFlush(options: WriteOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf nat retries flush', ctx.uid);
  if (!(await mayWrite(ctx, `set the counters of ${RETRIES.join(' and ')} to zero`, options))) return;
  for (const name of RETRIES) {
    const done = await withGlobal(
      ctx,
      name,
      (map) => {
        const zero = Buffer.alloc(map.valueStride);
        for (let index = 0; index < map.info.maxEntries; index++) {
          const key = Buffer.alloc(index32.size);
          key.writeUInt32LE(index);
          map.update(key, zero);
        }
        return true;
      },
      { write: true },
    );
    if (!done) await sayMissing(ctx, globalPath(ctx.globals.bpfRoot, name));
  }
}
