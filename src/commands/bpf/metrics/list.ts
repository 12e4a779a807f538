import type { Command } from 'commander';
import { METRIC_DIRECTIONS, METRICS } from '../../../bpf/layouts/metrics.ts';
import { readSlots, requirePinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, printStructs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareBytes } from '../../../lib/order.ts';
import { exactNumber } from '../../../lib/uint.ts';
import { dropReasonText } from '../../../model/drop-reason.ts';
import { sourceFileName } from '../../../model/source-file.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

const HEADER = ['REASON', 'DIRECTION', 'PACKETS', 'BYTES', 'LINE', 'FILE'];

interface Metric {
  reason: string;
  direction: string;
  packets: bigint;
  bytes: bigint;
  line: number;
  file: string;
}

/** Declares `bpf metrics list`. */
export function addBpfMetricsListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfMetricsList(options, ctx));
}

/** Prints the datapath's counters, summed over the CPUs. */
export async function runBpfMetricsList(options: OutputFlag, ctx: Context): Promise<void> {
  using map = requirePinned(ctx.globals.bpfRoot, METRICS);
  const metrics = (await readSlots(map, METRICS)).map(
    ({ key, values }): Metric => ({
      reason: dropReasonText(key.reason),
      direction: METRIC_DIRECTIONS[key.direction] ?? 'UNKNOWN',
      packets: values.reduce((sum, slot) => sum + slot.packets, 0n),
      bytes: values.reduce((sum, slot) => sum + slot.bytes, 0n),
      line: key.line,
      file: sourceFileName(key.file),
    }),
  );
  if (metrics.length === 0) return await ctx.err.write(NO_ENTRIES);
  if (options.output === '') {
    // The reference sorts the texts of the cells, numbers too.
    const rows = metrics
      .map((m) => [m.reason, m.direction, String(m.packets), String(m.bytes), String(m.line), m.file])
      .sort(byCells);
    return await ctx.out.write(renderRows(HEADER, rows));
  }
  const json = merged(metrics).map((m) => ({
    ...m,
    direction: m.direction.toLowerCase(),
    packets: exactNumber(m.packets),
    bytes: exactNumber(m.bytes),
  }));
  await printStructs(ctx, json, options);
}

function byCells(a: readonly string[], b: readonly string[]): number {
  for (const [i, cell] of a.entries()) {
    const order = compareBytes(cell, b[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

/** Rows that look the same to a reader are one: their counters are added. */
function merged(metrics: readonly Metric[]): Metric[] {
  const rows = new Map<string, Metric>();
  for (const metric of metrics) {
    const key = [metric.reason, metric.direction, metric.line, metric.file].join('\0');
    const row = rows.get(key);
    rows.set(key, {
      ...metric,
      packets: metric.packets + (row?.packets ?? 0n),
      bytes: metric.bytes + (row?.bytes ?? 0n),
    });
  }
  return [...rows.entries()].sort(([a], [b]) => compareBytes(a, b)).map(([, row]) => row);
}
