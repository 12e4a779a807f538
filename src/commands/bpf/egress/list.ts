import { basename } from 'node:path';
import type { Command } from 'commander';
import { EGRESS_STATIC_BITS, EGRESS4, EGRESS4_FIRST_PIN, EGRESS6 } from '../../../bpf/layouts/egress.ts';
import { openPinned, readPinned, readRecords } from '../../../bpf/maps/records.ts';
import { addPair, NO_ENTRIES, notice, type Pairs, printPairs, printStructs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { prefixText } from '../../../render/bpf/parts.ts';
import { rowTable } from '../../../render/text/blocks.ts';
import { NO_GATEWAY, SPECIAL_GATEWAYS } from './map.ts';

/** Declares `bpf egress list`. */
export function addBpfEgressListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf egress list', 'cilium bpf egress list -o json'));
  listVerb(command, ctx, runBpfEgressList);
}

/** Prints which gateway the traffic of which pods takes to which destinations. */
export async function runBpfEgressList(options: ListFlags, ctx: Context): Promise<void> {
  const { bpfRoot } = ctx.globals;
  using map = openPinned(bpfRoot, EGRESS4);
  const v4 = map && (await readRecords(map, EGRESS4));
  const v6 = await readPinned(bpfRoot, EGRESS6);
  if (!v4 && !v6) return await notice(ctx, 'Cannot find egress gateway bpf maps');
  if (v4 && map && basename(map.label) === EGRESS4_FIRST_PIN) return await printDump(v4, options, ctx);
  const release = await mapsRelease(ctx);
  const rows = [...(v4 ?? []).map(rowOf(4, release)), ...(v6 ?? []).map(rowOf(6, release))].sort((a, b) =>
    compareNatural(`${a.SourceIP} ${a.DestCIDR}`, `${b.SourceIP} ${b.DestCIDR}`),
  );
  if (options.output !== '') return await printStructs(ctx, rows, options);
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  const columns = atLeast(release, '1.20') ? HEADER : HEADER.slice(0, 4);
  await printTable(
    ctx,
    options,
    rowTable(
      columns,
      rows.map((row) => Object.values(row).map(String)),
    ),
  );
}

const HEADER = ['Source IP', 'Destination CIDR', 'Egress IP', 'Gateway IP', 'Egress Ifindex'];

interface EgressEntry {
  key: { prefixLength: number; source: string; destination: string };
  value: { egressIp: string; gatewayIp: string; egressIfindex?: number };
}

/** As the command line of 1.10 prints it: a dump of the map. */
async function printDump(entries: readonly EgressEntry[], options: ListFlags, ctx: Context): Promise<void> {
  const pairs: Pairs = new Map();
  for (const { key, value } of entries)
    addPair(
      pairs,
      `${key.source} ${key.destination}/${key.prefixLength - EGRESS_STATIC_BITS[4]}`,
      `${value.gatewayIp} ${value.egressIp}`,
    );
  await printPairs(ctx, ['SRC IP & DST CIDR', 'EGRESS INFO'], pairs, options);
}

/** Since 1.13 a gateway that was not found is told in words, since 1.14 others too; since 1.20 the interface is told. */
const rowOf =
  (family: 4 | 6, release: Release) =>
  ({ key, value }: EgressEntry) => ({
    SourceIP: key.source,
    DestCIDR: prefixText(key.destination, key.prefixLength - EGRESS_STATIC_BITS[family]),
    EgressIP: value.egressIp,
    GatewayIP: gatewayText(value.gatewayIp, release),
    ...(atLeast(release, '1.20') && { Ifindex: value.egressIfindex ?? 0 }),
  });

function gatewayText(ip: string, release: Release): string {
  const isTold = atLeast(release, ip === NO_GATEWAY ? '1.13' : '1.14');
  return (isTold ? SPECIAL_GATEWAYS[ip] : undefined) ?? ip;
}
