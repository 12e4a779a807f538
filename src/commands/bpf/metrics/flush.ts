import type { Command } from 'commander';
import { flushMap } from '../../../bpf/maps/flush.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf metrics flush`. */
export function addBpfMetricsFlushCommand(command: Command, ctx: Context): void {
  writeFlags(command).action((options: WriteOptions) => runBpfMetricsFlush(options, ctx));
}

/** Sets the datapath's counters back to nothing. */
export async function runBpfMetricsFlush(options: WriteOptions, ctx: Context): Promise<void> {
  await withRequired(
    ctx,
    'cilium_metrics',
    async (map) => {
      if (await mayWrite(ctx, 'delete all counters of cilium_metrics', options)) await flushMap(map);
    },
    { write: !options.dryRun },
  );
}
