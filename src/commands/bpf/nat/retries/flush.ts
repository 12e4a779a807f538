import type { Command } from 'commander';
import { globalPath, openGlobal } from '../../../../bpf/kernel/pins.ts';
import { index32 } from '../../../../bpf/layouts/common.ts';
import { encode } from '../../../../bpf/maps/codec.ts';
import { requireOwnSizes } from '../../../../bpf/maps/flush.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../../cli/confirm.ts';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { RETRIES, sayMissing } from '../maps.ts';

/** Declares `bpf nat retries flush`. */
export function addBpfNatRetriesFlushCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf nat retries flush --dry-run'));
  writeFlags(command).action((options: WriteOptions) => runBpfNatRetriesFlush(options, ctx));
}

/** Sets the histograms back to zero. */
export async function runBpfNatRetriesFlush(options: WriteOptions, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  const present: string[] = [];
  for (const name of RETRIES) {
    using map = openGlobal(bpfRoot, name, { write: !options.dryRun });
    if (!map) {
      await sayMissing(ctx, globalPath(bpfRoot, name));
      continue;
    }
    requireOwnSizes(map);
    present.push(name);
  }
  if (present.length === 0) return;
  if (!(await mayWrite(ctx, `set the counters of ${present.join(' and ')} to zero`, options))) return;
  for (const name of present) {
    using map = openGlobal(bpfRoot, name, { write: true });
    if (!map) continue;
    const zero = Buffer.alloc(map.valueStride);
    for (let index = 0; index < map.info.maxEntries; index++) map.update(encode(index32, { index }), zero);
  }
}
