import type { Command } from 'commander';
import { globalPath } from '../../../../bpf/kernel/pins.ts';
import { index32 } from '../../../../bpf/layouts/structs.ts';
import { withGlobal } from '../../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import type { Context } from '../../../../context.ts';
import { sayMissing } from '../maps.ts';
import { RETRIES } from './maps.ts';

/** Declares `bpf nat retries flush`. */
export function addBpfNatRetriesFlushCommand(command: Command, ctx: Context): void {
  writeFlags(command).action((options: WriteOptions) => runBpfNatRetriesFlush(options, ctx));
}

/** Sets the histograms back to zero. */
export async function runBpfNatRetriesFlush(options: WriteOptions, ctx: Context): Promise<void> {
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
