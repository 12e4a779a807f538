import type { Command } from 'commander';
import { EGRESS_STATIC_BITS, EGRESS4, EGRESS6 } from '../../../bpf/layouts/egress.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Values of the gateway that stand for something else. */
const SPECIAL: Readonly<Record<string, string>> = { '0.0.0.0': 'Not Found', '0.0.0.1': 'Excluded CIDR' };

/** Declares `bpf egress list`. */
export function addBpfEgressListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfEgressList(options, ctx));
}

/** Prints which gateway the traffic of which pods takes to which destinations. */
export async function runBpfEgressList(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await readPinned(ctx.globals.bpfRoot, EGRESS4);
  const v6 = await readPinned(ctx.globals.bpfRoot, EGRESS6);
  if (!v4 && !v6) return await notice(ctx, 'Cannot find egress gateway bpf maps');
  const rows = [...(v4 ?? []).map(rowOf(4)), ...(v6 ?? []).map(rowOf(6))].sort((a, b) =>
    compareNatural(`${a.SourceIP} ${a.DestCIDR}`, `${b.SourceIP} ${b.DestCIDR}`),
  );
  if (options.output !== '') return await printStructs(ctx, rows, { ...options, nil: true });
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  await ctx.out.write(
    renderRows(['Source IP', 'Destination CIDR', 'Egress IP', 'Gateway IP'], rows.map(Object.values)),
  );
}

interface EgressEntry {
  key: { prefixLength: number; source: string; destination: string };
  value: { egressIp: string; gatewayIp: string };
}

const rowOf =
  (family: 4 | 6) =>
  ({ key, value }: EgressEntry) => ({
    SourceIP: key.source,
    DestCIDR: `${key.destination}/${key.prefixLength - EGRESS_STATIC_BITS[family]}`,
    EgressIP: value.egressIp,
    GatewayIP: SPECIAL[value.gatewayIp] ?? value.gatewayIp,
  });
