import type { Command } from 'commander';
import { BANDWIDTH } from '../../../bpf/layouts/metrics.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { addPair, NO_ENTRIES, type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareBytes } from '../../../lib/order.ts';
import { rowTable } from '../../../render/text/blocks.ts';

/** Declares `bpf bandwidth list`. */
export function addBpfBandwidthListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf bandwidth list'));
  listVerb(command, ctx, runBpfBandwidthList);
}

/** Prints the rate limits of this node's endpoints. */
export async function runBpfBandwidthList(options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  const rows: string[][] = [];
  for (const { key, value } of await readRequired(ctx.globals.bpfRoot, BANDWIDTH, await mapsRelease(ctx))) {
    const rate = quantity(value.bytesPerSecond * 8n);
    const direction = 'direction' in key ? [key.direction] : [];
    const priority = 'priority' in value ? [value.priority] : [];
    addPair(pairs, [key.endpointId, ...direction].join(', '), [value.bytesPerSecond, ...priority].join(', '));
    const way = direction.map((number) => (number === 1 ? 'Ingress' : 'Egress'));
    rows.push([String(key.endpointId), ...way, ...priority.map(String), rate]);
  }
  if (options.output !== '') return await printPairs(ctx, ['', ''], pairs, options);
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  // The reference sorts the texts of the cells, column after column.
  rows.sort((a, b) => compareBytes(a.join('\0'), b.join('\0')));
  await printTable(ctx, options, rowTable(HEADERS[rows[0]?.length ?? 0] ?? [], rows));
}

/** By how many columns there are: priorities came with 1.17, directions with 1.18. */
const HEADERS: Readonly<Record<number, readonly string[]>> = {
  2: ['IDENTITY', 'EGRESS BANDWIDTH (BitsPerSec)'],
  3: ['IDENTITY', 'PRIO', 'EGRESS BANDWIDTH (BitsPerSec)'],
  4: ['IDENTITY', 'DIRECTION', 'PRIO', 'BANDWIDTH (BitsPerSec)'],
};

/** A number in the decimal form of a Kubernetes quantity: the largest unit that leaves it whole. */
function quantity(value: bigint): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  let rest = value;
  let unit = 0;
  for (; rest !== 0n && rest % 1000n === 0n && unit < units.length - 1; unit++) rest /= 1000n;
  return `${rest}${units[unit]}`;
}
