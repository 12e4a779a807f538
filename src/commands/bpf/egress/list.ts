import type { Command } from 'commander';
import { egressEntry4, egressEntry6, egressKey4, egressKey6 } from '../../../bpf/layouts/structs.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs, withGlobal } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Gateways that are none. */
const SPECIAL: Readonly<Record<string, string>> = { '0.0.0.0': 'Not Found', '0.0.0.1': 'Excluded CIDR' };

/** Declares `bpf egress list`. */
export function addBpfEgressListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfEgressList(options, ctx));
}

/** Prints which gateway the traffic of which pods takes to which destinations. */
export async function runBpfEgressList(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await withGlobal(ctx, 'cilium_egress_gw_policy_v4', async (map) =>
    (await readRecords(map, egressKey4, egressEntry4)).map((entry) => row(entry, 32)),
  );
  const v6 = await withGlobal(ctx, 'cilium_egress_gw_policy_v6', async (map) =>
    (await readRecords(map, egressKey6, egressEntry6)).map((entry) => row(entry, 128)),
  );
  if (!v4 && !v6) return await notice(ctx, 'Cannot find egress gateway bpf maps');
  const rows = [...(v4 ?? []), ...(v6 ?? [])].sort((a, b) =>
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

function row({ key, value }: EgressEntry, staticBits: number) {
  return {
    SourceIP: key.source,
    DestCIDR: `${key.destination}/${key.prefixLength - staticBits}`,
    EgressIP: value.egressIp,
    GatewayIP: SPECIAL[value.gatewayIp] ?? value.gatewayIp,
  };
}
