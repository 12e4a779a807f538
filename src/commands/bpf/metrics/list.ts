import type { Command } from 'commander';
import { METRIC_DIRECTIONS, METRICS } from '../../../bpf/layouts/metrics.ts';
import { readSlots, requirePinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, printStructs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareBytes } from '../../../lib/order.ts';
import { exactNumber, sum64 } from '../../../lib/uint.ts';
import { dropReasonText } from '../../../model/drop-reason.ts';
import { sourceFileName } from '../../../model/source-file.ts';
import { rowTable } from '../../../render/text/blocks.ts';

const HEADER = ['REASON', 'DIRECTION', 'PACKETS', 'BYTES', 'LINE', 'FILE'];

interface Metric {
  code: number;
  reason: string;
  direction: string;
  packets: bigint;
  bytes: bigint;
  /** Where in the datapath's sources it was counted; up to 1.15 that is not kept. */
  place: { line: number; file: string } | undefined;
}

/** Declares `bpf metrics list`. */
export function addBpfMetricsListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf metrics list', 'cilium bpf metrics list -o json'));
  listVerb(command, ctx, runBpfMetricsList);
}

/** Prints the datapath's counters, summed over the CPUs. */
export async function runBpfMetricsList(options: ListFlags, ctx: Context): Promise<void> {
  const release = await mapsRelease(ctx);
  using map = requirePinned(ctx.globals.bpfRoot, METRICS);
  const metrics = (await readSlots(map, METRICS, release)).map(
    ({ key, values }): Metric => ({
      code: key.reason,
      reason: dropReasonText(key.reason, 0, release),
      direction: METRIC_DIRECTIONS[key.direction] ?? 'UNKNOWN',
      packets: sum64(values.map((slot) => slot.packets)),
      bytes: sum64(values.map((slot) => slot.bytes)),
      place: 'line' in key ? { line: key.line, file: sourceFileName(key.file, release) } : undefined,
    }),
  );
  if (metrics.length === 0) return await ctx.err.write(NO_ENTRIES);
  if (options.output !== '') return await printStructs(ctx, toJson(metrics), { ...options, pointers: true });
  // The reference sorts the texts of the cells, numbers too.
  const rows = metrics
    .map(({ reason, direction, packets, bytes, place }) => [
      reason,
      direction,
      String(packets),
      String(bytes),
      ...(place ? [String(place.line), place.file] : []),
    ])
    .sort(byCells);
  await printTable(ctx, options, rowTable(HEADER.slice(0, rows[0]?.length), rows, { keys: 2 }));
}

/** Up to 1.15 one object for each reason, with the counters by direction. */
function toJson(metrics: readonly Metric[]): Record<string, unknown>[] {
  const rows = merged(metrics);
  const counters = ({ packets, bytes }: Metric) => ({
    packets: exactNumber(packets),
    bytes: exactNumber(bytes),
  });
  if (rows.every(({ place }) => place))
    return rows.map(({ reason, direction, place, ...metric }) => ({
      reason,
      direction: direction.toLowerCase(),
      ...counters({ reason, direction, place, ...metric }),
      ...place,
    }));
  return [...Map.groupBy(rows, ({ code }) => code)].map(([reason, all]) => ({
    reason,
    description: all[0]?.reason,
    values: Object.fromEntries(
      all.map((metric) => [metric.direction.toLowerCase(), counters(metric)]).sort(),
    ),
  }));
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
    const key = [metric.reason, metric.direction, metric.place?.line, metric.place?.file].join('\0');
    const row = rows.get(key);
    rows.set(key, {
      ...metric,
      packets: sum64([metric.packets, row?.packets ?? 0n]),
      bytes: sum64([metric.bytes, row?.bytes ?? 0n]),
    });
  }
  return [...rows.entries()].sort(([a], [b]) => compareBytes(a, b)).map(([, row]) => row);
}
