import type { Command } from 'commander';
import { METRICS } from '../../../bpf/layouts/metrics.ts';
import { flushMap, requireOwnSizes } from '../../../bpf/maps/flush.ts';
import { requirePinned } from '../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import { idleOutputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';

/** Declares `bpf metrics flush`. */
export function addBpfMetricsFlushCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf metrics flush --dry-run'));
  writeFlags(command.addOption(idleOutputOption())).action((options: WriteOptions) =>
    runBpfMetricsFlush(options, ctx),
  );
}

/** Sets the datapath's counters back to nothing. */
export async function runBpfMetricsFlush(options: WriteOptions, ctx: Context): Promise<void> {
  using map = requirePinned(ctx.globals.bpfRoot, METRICS, { write: !options.dryRun });
  requireOwnSizes(map);
  if (await mayWrite(ctx, 'delete all counters of cilium_metrics', options)) await flushMap(map);
}
