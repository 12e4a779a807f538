import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { requireRoot } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { withRequired } from '../dump.ts';
import { flushMap } from '../flush.ts';

/** Declares `bpf metrics flush`. */
export function addBpfMetricsFlushCommand(parent: Command, ctx: Context): Command {
  return writeFlags(parent.command('flush').description('Flush all metric counters')).action(
    (options: WriteOptions) => runBpfMetricsFlush(options, ctx),
  );
}

/** Sets the datapath's counters back to nothing. */
export async function runBpfMetricsFlush(options: WriteOptions, ctx: Context): Promise<void> {
  requireRoot('cilium bpf metrics flush', ctx.uid);
  await withRequired(
    ctx,
    'cilium_metrics',
    async (map) => {
      if (await mayWrite(ctx, 'delete all counters of cilium_metrics', options)) await flushMap(map);
    },
    { write: !options.dryRun },
  );
}
